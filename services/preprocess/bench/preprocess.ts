import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFolderStore } from "@flts/backends/embedded/folder-store";
import { createSystemClock } from "@flts/backends/system-clock";
import { createSystemRandom } from "@flts/backends/system-random";
import { createLogger } from "@flts/common/service/logger";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { preprocess } from "../src/preprocess.ts";

/**
 * `--large [ROWS]` (ten million unless said otherwise): rows per second and peak of memory for a synthetic file that is never in memory as a whole.
 * Without it: seconds to preprocess one station's pair of files, from CSV in the store to parquet and heads in the store, beside pandas and scikit-learn doing the same steps
 * (`FLTS_PYTHON` names a Python that has them). PobleSec where `FLTS_DATASET_DIR` is set, synthetic data of the same size otherwise.
 */
const RUNS = 5;

const [flag] = process.argv.slice(2);
if (flag === "--large") {
  await import("./large.ts");
  process.exit();
}

const folder = mkdtempSync(join(tmpdir(), "flts-bench-preprocess-"));
const [train, test] = inputFiles();
const seconds: number[] = [];
for (let run = 0; run < RUNS; run++) {
  const store = await createFolderStore({
    folder: join(folder, `store-${run}`),
    random: createSystemRandom(),
  });
  await store.ensureBucket("dataset");
  await store.ensureBucket("processed-data");
  await store.put({ bucket: "dataset", key: "station.csv" }, train);
  await store.put({ bucket: "dataset", key: "station_test.csv" }, test);
  const begun = performance.now();
  await preprocess(
    {
      identifier: "",
      inputBucket: "dataset",
      outputBucket: "processed-data",
      outputTrain: "processed_data",
      outputTest: "test_processed_data",
      force: false,
      settings: defaultSettings("station.csv", "station_test.csv"),
      spill: { folder, maxBytes: 1e9 },
    },
    {
      store,
      clock: createSystemClock(),
      log: createLogger({ service: "bench", level: "silent", pretty: false }),
      publish: async () => {},
    },
  );
  seconds.push((performance.now() - begun) / 1000);
  await store.close();
}
const peer = peerSeconds();
rmSync(folder, { recursive: true });

const best = Math.min(...seconds);
const line = {
  name: "preprocess.pair",
  data: process.env["FLTS_DATASET_DIR"] ? "PobleSec" : "synthetic",
  runs: RUNS,
  seconds: round(best),
  ...(peer === null
    ? { peer: "pandas not installed (set FLTS_PYTHON)" }
    : { peer: peer.peer, peerSeconds: round(peer.seconds), ratio: round(best / peer.seconds) }),
};
console.log(JSON.stringify(line));

function inputFiles(): readonly [Uint8Array, Uint8Array] {
  const dataset = process.env["FLTS_DATASET_DIR"];
  if (dataset)
    return [readFileSync(join(dataset, "PobleSec.csv")), readFileSync(join(dataset, "PobleSec_test.csv"))];
  const whole = synthesizeStation({ seed: 1, rows: 19_909, startMs: Date.UTC(2024, 0, 1) });
  const cut = (from: number, to: number) =>
    toCsv({
      timesMs: whole.timesMs.subarray(from, to),
      columns: whole.columns,
      values: whole.values.map((column) => column.subarray(from, to)),
    });
  return [Buffer.from(cut(0, 15_927)), Buffer.from(cut(15_927, 19_909))];
}

function peerSeconds(): { readonly peer: string; readonly seconds: number } | null {
  const python = process.env["FLTS_PYTHON"];
  if (!python) return null;
  const [trainPath, testPath] = [join(folder, "train.csv"), join(folder, "test.csv")];
  writeFileSync(trainPath, train);
  writeFileSync(testPath, test);
  const script = join(import.meta.dirname, "pandas_peer.py");
  try {
    const output = execFileSync(python, [script, trainPath, testPath, String(RUNS), folder], {
      encoding: "utf8",
    });
    return JSON.parse(output) as { peer: string; seconds: number };
  } catch {
    return null;
  }
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
