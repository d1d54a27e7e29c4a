import { FltsError } from "@flts/common/contracts/errors";
import { type ColumnScaling, type Scaling, scalingOf, unscaleValues } from "@flts/common/scaler/scaling";
import { meanOf } from "@flts/common/scaler/sum";
import type { RowRange } from "@flts/forecasting/evaluation/split";
import { rowCount, type Table } from "@flts/forecasting/table/table";

export interface NetworkInput {
  /** Scaled cells `[rows, columns]`, row-major, all finite: a missing one has its column's mean over the fit rows. */
  readonly matrix: Float32Array;
  /** That mean in raw units, per column: what a missing cell is taken for when the model serves. */
  readonly missing: readonly number[];
  readonly scalings: readonly ColumnScaling[];
}

/** A scaled table as a network reads it. @throws TABLE_INVALID naming a column without a number among the fit rows, or with an infinite one */
export function networkInput(table: Table, scaling: Scaling, fit: RowRange): NetworkInput {
  const width = table.columns.length;
  const matrix = new Float32Array(rowCount(table) * width);
  const scalings = table.columns.map((column) => scalingOf(scaling, column));
  const missing = table.values.map((values, index) => {
    const column = table.columns[index] ?? "";
    const known = values.subarray(...fit).filter((value) => !Number.isNaN(value));
    if (known.length === 0)
      throw new FltsError("TABLE_INVALID", `column '${column}' has no number among its fit rows`);
    const mean = meanOf(known);
    for (const [row, value] of values.entries()) {
      const cell = Number.isNaN(value) ? mean : value;
      if (!Number.isFinite(Math.fround(cell)))
        throw new FltsError(
          "TABLE_INVALID",
          `column '${column}' holds ${value} in row ${row}: training needs finite numbers`,
        );
      matrix[row * width + index] = cell;
    }
    return unscaleValues(scalings[index]!, Float64Array.of(mean))[0] ?? 0;
  });
  return { matrix, missing, scalings };
}
