import { HttpError } from "@flts/common/service/http";
import { rowCount, selectColumns, type Table } from "@flts/forecasting/table/table";
import type { ServableModel } from "../model/servable-model.ts";

/** The rows that a forecast is made from. */
export interface History {
  /** The model's input columns, in its order. */
  readonly table: Table;
  /** Cells that came without a value, which the model replaces. */
  readonly imputed: number;
}

/**
 * The rows of a request held to what the model needs (reference behaviour §7.3, steps 5 and 6).
 * @param needed rows that there must be, at least
 * @throws HttpError 400
 */
export function historyOf(rows: Table | null, { inputColumns }: ServableModel, needed: number): History {
  if (rows === null) throw new HttpError(400, "No cached dataframe available and no data provided");
  const missing = inputColumns.filter((column) => !rows.columns.includes(column));
  if (missing.length > 0)
    throw new HttpError(400, `Missing required feature columns: ${missing.toSorted().join(", ")}`);
  if (rowCount(rows) < needed)
    throw new HttpError(
      400,
      `Insufficient rows: the model needs ${needed} rows of history, the request has ${rowCount(rows)}`,
    );
  const table = selectColumns(rows, inputColumns);
  return { table, imputed: countMissing(table) };
}

function countMissing({ values }: Table): number {
  let missing = 0;
  for (const column of values)
    for (let row = 0; row < column.length; row++) if (Number.isNaN(column[row])) missing++;
  return missing;
}
