import { HttpError } from "@flts/common/service/http";
import { rowCount, selectColumns, type Table } from "@flts/forecasting/table/table";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import type { ServableModel } from "../model/servable-model.ts";
import type { Rows } from "./rows.ts";

/** The rows that a forecast is made from. */
export interface History {
  /** The model's input columns, in its order. */
  readonly table: Table;
  /** Cells that came without a value, which the model replaces. */
  readonly imputed: number;
}

/** Fifty years: clocks that are wrong are wrong by such times, and trends end up anywhere. */
const MAX_DISTANCE_MS = 50 * 365.25 * 86_400_000;

/**
 * The rows of a request held to what the model needs (reference behaviour §7.3, steps 5 and 6).
 * @param needed rows that there must be, at least
 * @throws HttpError 400
 */
export function historyOf(rows: Rows | null, model: ServableModel, needed: number): History {
  if (rows === null) throw new HttpError(400, "No cached dataframe available and no data provided");
  const { inputColumns } = model;
  const { columns } = rows.table;
  const missing = inputColumns.filter((column) => !columns.includes(column));
  if (missing.length > 0)
    throw new HttpError(400, `Missing required feature columns: ${missing.toSorted().join(", ")}`);
  const count = rowCount(rows.table);
  if (count < needed)
    throw new HttpError(
      400,
      `Insufficient rows: the model needs ${needed} rows of history, the request has ${count}`,
    );
  checkTimes(rows, model);
  const table = selectColumns(rows.table, inputColumns);
  return { table, imputed: countMissing(table) };
}

function checkTimes({ table, timeColumn }: Rows, { trainedOn }: ServableModel): void {
  const { timesMs } = table;
  const first = timesMs[0]!;
  const last = timesMs[timesMs.length - 1]!;
  const earliest = trainedOn.fromMs - MAX_DISTANCE_MS;
  const latest = trainedOn.toMs + MAX_DISTANCE_MS;
  if (first >= earliest && last <= latest) return;
  const stray = formatTimestamp(first < earliest ? first : last);
  throw new HttpError(
    400,
    `Column '${timeColumn}' lies decades away from the training data (${formatTimestamp(trainedOn.fromMs)} to ${formatTimestamp(trainedOn.toMs)}): ${stray}`,
  );
}

function countMissing({ values }: Table): number {
  let missing = 0;
  for (const column of values)
    for (let row = 0; row < column.length; row++) if (Number.isNaN(column[row])) missing++;
  return missing;
}
