import { TrainingError } from "./error.ts";
import { type RowRange, windowStarts } from "./windows.ts";

/** A scaled table and the rows of it that training may see. */
export interface TrainingTable {
  /** [rows, columns], row-major. */
  readonly features: Float32Array;
  readonly columns: number;
  /** The columns to forecast, by their position. */
  readonly targets: readonly number[];
  /** Rows to fit. */
  readonly fit: RowRange;
  /** Rows to stop by. */
  readonly stop: RowRange;
}

/** The target columns alone, [rows, targets]. */
export function targetColumns({ features, columns, targets }: TrainingTable): Float32Array {
  const rows = features.length / columns;
  const values = new Float32Array(rows * targets.length);
  for (let row = 0; row < rows; row += 1) {
    for (const [index, column] of targets.entries())
      values[row * targets.length + index] = features[row * columns + column] ?? 0;
  }
  return values;
}

/**
 * First rows of the windows in a range.
 *
 * @throws TrainingError TABLE_TOO_SHORT when there is none
 */
export function windowsIn(name: string, range: RowRange, window: number, horizon: number): Int32Array {
  const starts = windowStarts(range, window, horizon);
  if (starts.length > 0) return starts;
  const rows = Math.max(0, range.end - range.start);
  throw new TrainingError(
    "TABLE_TOO_SHORT",
    `the ${rows} ${name} rows hold no window of inputLength=${window} with outputLength=${horizon} rows after it`,
  );
}

/** @throws TrainingError TABLE_INVALID for a shape that does not fit, SETTINGS_INVALID for targets, TABLE_INVALID for a value that is no number */
export function checkTable({ features, columns, targets, fit, stop }: TrainingTable): void {
  const rows = features.length / columns;
  if (!Number.isInteger(rows))
    throw new TrainingError("TABLE_INVALID", `${features.length} values are no rows of ${columns} columns`);
  const stranger = targets.find((target) => !Number.isInteger(target) || target < 0 || target >= columns);
  if (targets.length === 0 || stranger !== undefined)
    throw new TrainingError(
      "SETTINGS_INVALID",
      `targets must be columns from 0 to ${columns - 1}, not [${targets.join(", ")}]`,
    );
  for (const [name, range] of Object.entries({ fit, stop })) {
    if (range.start < 0 || range.end > rows)
      throw new TrainingError(
        "TABLE_INVALID",
        `the ${name} rows ${range.start} to ${range.end} lie outside of a table of ${rows} rows`,
      );
    for (let index = range.start * columns; index < range.end * columns; index += 1) {
      if (!Number.isFinite(features[index])) {
        const place = `column ${index % columns}, row ${Math.floor(index / columns)}`;
        throw new TrainingError(
          "TABLE_INVALID",
          `${place} of the ${name} rows holds ${features[index]}; training needs finite numbers`,
        );
      }
    }
  }
}
