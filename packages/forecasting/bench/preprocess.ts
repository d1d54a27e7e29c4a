/**
 * CSV to Parquet for one station, train and test file, as the preprocess job does it:
 *   node --conditions=source packages/forecasting/bench/preprocess.ts [folder] [station]
 * Without a folder (or FLTS_DATASET_DIR) a synthetic station of the size of Poble Sec is used. Prints one JSON line per
 * figure, and one of pandas with scikit-learn where `python3` (or $PYTHON) has them.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { preprocessPair } from "../src/preprocess/pipeline.ts";
import { defaultSettings } from "../src/preprocess/settings.ts";
import { synthesizeStation } from "../src/synthetic/station.ts";
import { toCsv } from "../src/synthetic/to-csv.ts";
import { readCsv } from "../src/table/csv.ts";
import { writeParquet } from "../src/table/parquet.ts";
import { rowCount, sliceRows } from "../src/table/table.ts";

const RUNS = 5;
const [folder = process.env["FLTS_DATASET_DIR"] ?? "", station = folder === "" ? "Synthetic" : "PobleSec"] =
  process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "flts-bench-"));
const source = folder === "" ? writeSynthetic(scratch) : folder;
const files = { train: join(source, `${station}.csv`), test: join(source, `${station}_test.csv`) };

const seconds: Record<string, number[]> = { parse: [], preprocess: [], parquet: [], total: [] };
let rows = 0;
for (let run = 0; run < RUNS; run++) {
  const start = performance.now();
  const train = readCsv(readFileSync(files.train), { file: files.train });
  const test = readCsv(readFileSync(files.test), { file: files.test });
  const parsed = performance.now();
  const result = preprocessPair(train, test, defaultSettings(files.train, files.test));
  const preprocessed = performance.now();
  writeParquet(result.train);
  writeParquet(result.test);
  const written = performance.now();
  seconds["parse"]?.push(parsed - start);
  seconds["preprocess"]?.push(preprocessed - parsed);
  seconds["parquet"]?.push(written - preprocessed);
  seconds["total"]?.push(written - start);
  rows = rowCount(train) + rowCount(test);
}
for (const [figure, times] of Object.entries(seconds)) {
  const [first = 0] = times;
  print({
    figure,
    who: `flts, node ${process.version}`,
    firstSeconds: first / 1e3,
    bestSeconds: Math.min(...times) / 1e3,
  });
}
print(peer());
rmSync(scratch, { recursive: true });

function print(figure: object): void {
  console.log(JSON.stringify({ bench: "preprocess", station, rows, ...figure }));
}

/** The same work in pandas and scikit-learn, `seconds: null` where they are not installed. */
function peer(): object {
  const python = process.env["PYTHON"] ?? "python3";
  const script = join(import.meta.dirname, "preprocess_peer.py");
  try {
    const output = execFileSync(python, [script, files.train, files.test, scratch], {
      encoding: "utf8",
      stdio: "pipe",
    });
    return JSON.parse(output) as object;
  } catch {
    return { figure: "total", who: "pandas and scikit-learn: not installed", bestSeconds: null };
  }
}

function writeSynthetic(target: string): string {
  const table = synthesizeStation({ seed: 1, rows: 19_909, startMs: Date.UTC(2018, 1, 5, 23, 40) });
  writeFileSync(join(target, "Synthetic.csv"), toCsv(sliceRows(table, 0, 15_927)));
  writeFileSync(join(target, "Synthetic_test.csv"), toCsv(sliceRows(table, 15_927)));
  return target;
}
