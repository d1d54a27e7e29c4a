import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { RollingForecasts } from "@flts/forecasting/evaluation/forecasts";
import { readCsv } from "@flts/forecasting/table/csv";
import { rowCount, sliceRows, type Table } from "@flts/forecasting/table/table";
import { rollModels } from "./models.ts";

/** What a family forecast in a fold: on the rows that its intervals may be calibrated on, and on those that judge them. */
export interface RolledModel {
  readonly name: string;
  /** Rows of {@link Fold.train}. */
  readonly rows: { readonly calibrate: readonly [number, number]; readonly score: readonly [number, number] };
  /** From every origin of the calibrate and score rows; origins are rows of {@link Fold.train}. */
  readonly calibrating: RollingForecasts;
  /** From every origin of the judging rows; origins are rows of {@link Fold.judging}. */
  readonly judged: RollingForecasts;
}

/** A part of a train file that is all there is, and the rows after it. */
export interface Fold {
  readonly station: string;
  /** How much of the train file is fitted, calibrated and scored on. */
  readonly share: number;
  readonly train: Table;
  readonly judging: Table;
}

/** Each fold's train rows are the first of the file; the judging rows follow them. */
const TRAIN_SHARES = [0.5, 0.575, 0.65, 0.725, 0.8];
const JUDGING_SHARE = 0.2;
const TEST_FILE = "_test.csv";

/** The folds of every `<station>.csv` of a folder; a file whose name ends in `_test.csv` is not opened. */
export function foldsIn(folder: string): readonly Fold[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".csv") && !name.endsWith(TEST_FILE))
    .toSorted()
    .flatMap((file) => {
      const table = readCsv(readFileSync(join(folder, file)), { file });
      const rows = rowCount(table);
      return TRAIN_SHARES.map((share) => {
        const border = Math.round(share * rows);
        return {
          station: file.replace(/\.csv$/, ""),
          share,
          train: sliceRows(table, 0, border),
          judging: sliceRows(table, border, border + Math.round(JUDGING_SHARE * rows)),
        };
      });
    });
}

/**
 * Every family's forecasts in a fold, out of the cache folder where they lie there: training and rolling them takes minutes,
 * trying intervals on them seconds. The cache knows the fold's rows, not the families' code: start with an empty folder when that has changed.
 */
export async function rolledIn(fold: Fold, cache: string): Promise<readonly RolledModel[]> {
  const path = join(cache, `${fold.station}-${fold.share}-${digestOf(fold)}.v8`);
  if (existsSync(path)) return deserialize(readFileSync(path)) as readonly RolledModel[];
  const models = await rollModels(fold);
  mkdirSync(cache, { recursive: true });
  writeFileSync(`${path}.part`, serialize(models));
  renameSync(`${path}.part`, path);
  return models;
}

function digestOf({ train, judging }: Fold): string {
  const hash = createHash("sha256");
  for (const { timesMs, values } of [train, judging])
    for (const column of [timesMs, ...values])
      hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  return hash.digest("hex").slice(0, 12);
}
