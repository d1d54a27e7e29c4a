import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { openBenchStore, preprocessOnce } from "./once.ts";

/**
 * Seconds to preprocess one station's pair of files, from CSV in the store to Parquet and heads in the store, beside pandas and scikit-learn doing the same steps
 * (`FLTS_PYTHON` names a Python that has them). PobleSec where `FLTS_DATASET_DIR` is set, synthetic data of the same size otherwise.
 */
const RUNS = 5;

const folder = mkdtempSync(join(tmpdir(), "flts-bench-preprocess-"));
const [train, test] = inputFiles();
const seconds: number[] = [];
for (let run = 0; run < RUNS; run++) {
  const store = await openBenchStore(join(folder, `store-${run}`));
  await store.put({ bucket: "dataset", key: "station.csv" }, train);
  await store.put({ bucket: "dataset", key: "station_test.csv" }, test);
  const begun = performance.now();
  await preprocessOnce({
    store,
    settings: defaultSettings("station.csv", "station_test.csv"),
    spillFolder: folder,
  });
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
