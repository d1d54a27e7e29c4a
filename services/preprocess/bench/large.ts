import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "@flts/common/service/config";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { preprocessSettings, settingsOf } from "../src/config.ts";
import { openBenchStore, preprocessOnce } from "./once.ts";

/**
 * Rows per second and peak of resident memory for a synthetic train file of ten million rows, unless another number is given. The file is generated as a
 * stream, and a process of its own preprocesses it, so that the peak is the job's alone. Settings are read from the environment, as the job does.
 */
const ROWS = 10_000_000;
const STEP_MS = 120_000;
const BLOCK_ROWS = 20_000;

const [first = String(ROWS), folder] = process.argv.slice(2).filter((word) => word !== "--large");
if (first === "child" && folder !== undefined) await work(folder);
else await measure(Number(first));

async function measure(rows: number): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "flts-bench-large-"));
  try {
    const store = await openBenchStore(join(home, "store"));
    await store.put({ bucket: "dataset", key: "large.csv" }, csvOf(0, rows));
    await store.put({ bucket: "dataset", key: "large_test.csv" }, csvOf(rows, BLOCK_ROWS));
    await store.close();
    const output = execFileSync(
      process.execPath,
      [...process.execArgv, import.meta.filename, "child", home],
      { encoding: "utf8" },
    );
    const { seconds, ...rest } = JSON.parse(output) as { seconds: number };
    const rowsPerSecond = Math.round(rows / seconds);
    console.log(JSON.stringify({ name: "preprocess.large", rows, seconds, rowsPerSecond, ...rest }));
  } finally {
    rmSync(home, { recursive: true });
  }
}

async function work(home: string): Promise<void> {
  const store = await openBenchStore(join(home, "store"));
  const config = loadConfig(preprocessSettings, process.env);
  const begun = performance.now();
  const [claim] = await preprocessOnce({
    store,
    settings: settingsOf(config, "large.csv", "large_test.csv"),
    spillFolder: home,
  });
  const seconds = (performance.now() - begun) / 1000;
  const { size } = claim!.value as { size: number };
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  console.log(
    JSON.stringify({
      seconds: Number(seconds.toPrecision(3)),
      cpuSeconds: Number(((userCPUTime + systemCPUTime) / 1e6).toPrecision(3)),
      peakResidentMiB: Math.round(maxRSS / 1024),
      parquetMiB: Math.round(size / 1024 ** 2),
    }),
  );
}

/** The rows from `firstRow` on as the bytes of a file, block by block. */
async function* csvOf(firstRow: number, rows: number): AsyncGenerator<Uint8Array> {
  for (let row = 0; row < rows; row += BLOCK_ROWS) {
    const startMs = Date.UTC(1990, 0, 1) + (firstRow + row) * STEP_MS;
    const block = toCsv(
      synthesizeStation({ seed: row, rows: Math.min(BLOCK_ROWS, rows - row), startMs, stepMs: STEP_MS }),
    );
    yield Buffer.from(row === 0 ? block : block.slice(block.indexOf("\n") + 1));
  }
}
