import { HttpError } from "@flts/common/service/http";
import { rowCount, selectColumns, type Table } from "@flts/forecasting/table/table";
import type { ServableModel } from "../model/servable-model.ts";
import type { PredictRequest } from "./request.ts";
import { readRows } from "./rows.ts";

/** The rows that a forecast is made from. */
export interface History {
  /** The model's input columns, in its order. */
  readonly table: Table;
  /** Cells that came without a value, which the model replaces. */
  readonly imputed: number;
}

/**
 * The history a request brings, or else that of the cached frame, held to what the model needs (reference behaviour §7.3, steps 5 and 6).
 * @throws HttpError 400
 */
export function historyOf(request: PredictRequest, model: ServableModel, cachedFrame: Table | null): History {
  const rows = request.data === null ? cachedFrame : readRows(request.data, request.indexColumn);
  if (rows === null) throw new HttpError(400, "No cached dataframe available and no data provided");
  const missing = model.inputColumns.filter((column) => !rows.columns.includes(column));
  if (missing.length > 0)
    throw new HttpError(400, `Missing required feature columns: ${missing.toSorted().join(", ")}`);
  if (rowCount(rows) < model.window)
    throw new HttpError(
      400,
      `Insufficient rows: the model needs ${model.window} rows of history, the request has ${rowCount(rows)}`,
    );
  const table = selectColumns(rows, model.inputColumns);
  return { table, imputed: countMissing(table) };
}

function countMissing({ values }: Table): number {
  let missing = 0;
  for (const column of values) for (const value of column) if (Number.isNaN(value)) missing++;
  return missing;
}
