import { access, constants, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { FltsError } from "@flts/common/contracts/errors";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { sliceRows, type Table } from "@flts/forecasting/table/table";

/** A station's two files, as they are uploaded. */
export interface Dataset {
  /** Gives `<name>.csv` and `<name>_test.csv`. */
  readonly name: string;
  readonly train: DataFile;
  readonly test: DataFile;
}

/** A file on this machine, or one that was made up. */
export type DataFile =
  | { readonly name: string; readonly path: string }
  | { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> };

/** The reference's station, taken when a folder has it and no name was given. */
const DEFAULT_NAME = "PobleSec";

/**
 * The named datasets of a folder; without names its only one, or the reference's.
 * @throws INPUT_MISSING naming the folder or file that is not there, or cannot be read, and what there is instead
 */
export async function locateDatasets(folder: string, names: readonly string[]): Promise<readonly Dataset[]> {
  const there = datasetsAmong(await listFolder(folder));
  const wanted = names.length > 0 ? names : [defaultName(folder, there)];
  const datasets: Dataset[] = [];
  for (const name of wanted) {
    const [train, test] = [`${name}.csv`, `${name}_test.csv`];
    for (const file of [train, test]) await checkReadable(folder, file, there);
    datasets.push({
      name,
      train: { name: train, path: join(folder, train) },
      test: { name: test, path: join(folder, test) },
    });
  }
  return datasets;
}

/** Names of which a folder has both files. */
export function datasetsAmong(files: readonly string[]): readonly string[] {
  const present = new Set(files);
  return files
    .filter((file) => file.endsWith(".csv"))
    .map((file) => file.slice(0, -".csv".length))
    .filter((name) => present.has(`${name}_test.csv`))
    .toSorted();
}

async function listFolder(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new FltsError(
      "INPUT_MISSING",
      `cannot read the folder ${folder} (${reasonOf(cause)}): name one with --data that holds <name>.csv and <name>_test.csv, or leave --data out for synthetic data`,
      cause,
    );
  }
}

function defaultName(folder: string, there: readonly string[]): string {
  const only = there.length === 1 ? there[0] : undefined;
  const name = there.includes(DEFAULT_NAME) ? DEFAULT_NAME : only;
  if (name !== undefined) return name;
  throw new FltsError(
    "INPUT_MISSING",
    there.length === 0
      ? `${folder} holds no pair of files <name>.csv and <name>_test.csv: name another folder with --data`
      : `${folder} holds several datasets: choose with --dataset among ${there.join(", ")}`,
  );
}

async function checkReadable(folder: string, file: string, there: readonly string[]): Promise<void> {
  const path = join(folder, file);
  try {
    await access(path, constants.R_OK);
  } catch (cause) {
    const choice = there.length > 0 ? `; the folder has ${there.join(", ")}` : "";
    throw new FltsError(
      "INPUT_MISSING",
      `cannot read ${path} (${reasonOf(cause)}): choose a dataset with --dataset whose files <name>.csv and <name>_test.csv are there${choice}`,
      cause,
    );
  }
  const found = await stat(path);
  if (!found.isFile() || found.size === 0)
    throw new FltsError(
      "CSV_INVALID",
      `${path} is ${found.isFile() ? "an empty file" : "no file"}: it must hold a header with 'time' and rows of measurements`,
    );
}

const reasonOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error);

/** Five days of training and thirty hours for the test, at two minutes a row: every family trains on them in seconds. */
const SYNTHETIC_ROWS = { train: 3_600, test: 900 };
/**
 * How networks are trained on so little: at the reference's learning rate, made for a station's whole month, ten epochs would not be enough.
 */
const SYNTHETIC_TRAINING = { LEARNING_RATE: "0.001", LEARNING_RATE_SCHEDULE: "cosine" };

/** Settings for the trainers that suit made-up measurements; what the environment says goes first. */
export function syntheticTraining(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(SYNTHETIC_TRAINING).filter(([name]) => (environment[name] ?? "") === ""),
  );
}

/** So that the measurements end, and the forecast begins, in a busy evening. */
const SYNTHETIC_START_MS = Date.UTC(2026, 0, 5, 13);

/** A station that does not exist; the same name is the same station, to the byte. */
export function synthesizeDataset(name: string): Dataset {
  const table = synthesizeStation({
    seed: seedOf(name),
    rows: SYNTHETIC_ROWS.train + SYNTHETIC_ROWS.test,
    startMs: SYNTHETIC_START_MS,
  });
  return {
    name,
    train: syntheticFile(`${name}.csv`, sliceRows(table, 0, SYNTHETIC_ROWS.train)),
    test: syntheticFile(`${name}_test.csv`, sliceRows(table, SYNTHETIC_ROWS.train)),
  };
}

const syntheticFile = (name: string, table: Table): DataFile => ({
  name,
  bytes: new TextEncoder().encode(toCsv(table)),
});

/** 32-bit FNV-1a. */
function seedOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash;
}
