import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readCsv } from "../../src/table/csv.ts";
import type { Table } from "../../src/table/table.ts";

const fixtures = join(import.meta.dirname, "../fixtures");

/** Folders of what is not committed; a test that needs one says so in its name and is skipped without it. */
export const datasetDir = process.env["FLTS_DATASET_DIR"] ?? "";
export const fixturesDir = process.env["FLTS_FIXTURES_DIR"] ?? "";

/** The committed synthetic station. */
export const readSynthetic = (name: "Synthetic.csv" | "Synthetic_test.csv"): Table =>
  readCsv(readFileSync(join(fixtures, name)), { file: name });

/** A real station file of `FLTS_DATASET_DIR`. */
export const readStation = (name: string): Table =>
  readCsv(readFileSync(join(datasetDir, name)), { file: name });

export const readTwins = (name: string): string => readFileSync(join(fixtures, name), "utf8");

export const readFixture = (name: string): string => readFileSync(join(fixturesDir, name), "utf8");
