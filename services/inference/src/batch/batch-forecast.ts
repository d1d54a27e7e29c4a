import { FltsError } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import { HttpError, refusalOf } from "@flts/common/service/http";
import { parseLagColumn } from "@flts/forecasting/preprocess/lags";
import { rowCount, sliceRows, type Table } from "@flts/forecasting/table/table";
import type { Forecast, ServableModel } from "../model/servable-model.ts";
import type { Admission, Job } from "../predict/admission.ts";
import { historyOf } from "../predict/history.ts";

/** What a champion says of a table. */
export interface BatchForecast {
  /** Every row after the first window, one step ahead of the rows before it. */
  readonly oneStep: Forecast;
  /** The steps after the last row. */
  readonly ahead: Forecast;
}

export interface BatchForecastOptions {
  readonly admission: Admission;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Steps after the last row. */
  readonly steps: number;
}

/** Windows that are let in at once: some hundredths of a second of work, which no request notices. */
const WINDOWS_AT_ONCE = 256;
/** After a refusal: requests go first. */
const PAUSE_MS = 250;

/**
 * Forecasts a table as requests are forecast, through the same admission and in pieces, so that requests never wait behind a whole table.
 * @param table the model's input columns, as {@link tableFor} gives them
 * @throws TABLE_INVALID where no finite forecast follows from the values; the signal's reason when it aborts
 */
export async function forecastTable(
  table: Table,
  model: ServableModel,
  options: BatchForecastOptions,
): Promise<BatchForecast> {
  const rows = rowCount(table) - model.window;
  const reach = furthestLag(model.columns);
  const pieces: Forecast[] = [];
  for (let from = 0; from < rows; from += WINDOWS_AT_ONCE) {
    const count = Math.min(WINDOWS_AT_ONCE, rows - from);
    const start = Math.max(0, from - reach);
    const skipped = from - start;
    const piece = sliceRows(table, start, from + model.window + count);
    const forecast = await admitted(options, (job) => {
      job.expect(count + skipped);
      return model.backtest(piece, skipped + count, job);
    });
    pieces.push(sliceForecast(forecast, skipped, model.targets.length));
  }
  const ahead = await admitted(options, (job) => {
    job.expect(Math.ceil(options.steps / model.horizon));
    return model.forecast(table, options.steps, job);
  });
  const oneStep = concat(pieces);
  for (const { values, lower, upper } of [oneStep, ahead])
    for (const numbers of [values, lower, upper])
      if (!numbers.every(Number.isFinite))
        throw new FltsError(
          "TABLE_INVALID",
          "no finite forecast follows from these values: they lie far outside the training data",
        );
  return { oneStep, ahead };
}

/** Rows before its window that a piece needs, so that it has the lags that the whole table would give it. */
const furthestLag = (columns: readonly string[]): number =>
  Math.max(0, ...columns.map((column) => parseLagColumn(column)?.n ?? 0));

/**
 * A claimed table held to what the model needs.
 * @throws COLUMN_MISSING, TABLE_TOO_SHORT, TABLE_INVALID for times that do not rise or lie decades away from the training data
 */
export function tableFor(table: Table, model: ServableModel): Table {
  const missing = model.inputColumns.filter((column) => !table.columns.includes(column));
  if (missing.length > 0)
    throw new FltsError(
      "COLUMN_MISSING",
      `the table lacks columns that the champion was trained on: ${missing.toSorted().join(", ")}`,
    );
  const needed = model.window + 1;
  if (rowCount(table) < needed)
    throw new FltsError(
      "TABLE_TOO_SHORT",
      `the champion needs ${needed} rows, the table has ${rowCount(table)}`,
    );
  const { timesMs } = table;
  for (let row = 1; row < timesMs.length; row++)
    if (!(timesMs[row]! > timesMs[row - 1]!))
      throw new FltsError("TABLE_INVALID", `times must rise: row ${row} is not later than the one before it`);
  try {
    return historyOf({ table, timeColumn: "time" }, model, needed).table;
  } catch (error) {
    if (error instanceof HttpError) throw new FltsError("TABLE_INVALID", error.message, error);
    throw error;
  }
}

/** Does a piece of work when requests leave room for it. */
async function admitted<T>(
  { admission, clock, signal }: BatchForecastOptions,
  work: (job: Job) => Promise<T>,
): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await admission.run({ timeoutMs: null, isPresent: () => !signal.aborted }, work);
    } catch (error) {
      signal.throwIfAborted();
      if (!BUSY.includes(refusalOf(error).status)) throw error;
      await clock.sleep(PAUSE_MS, signal);
    }
  }
}

/** Refused, or given up because others took too long. */
const BUSY = [429, 504];

const sliceForecast = (
  { timesMs, values, lower, upper }: Forecast,
  from: number,
  width: number,
): Forecast => ({
  timesMs: timesMs.subarray(from),
  values: values.subarray(from * width),
  lower: lower.subarray(from * width),
  upper: upper.subarray(from * width),
});

function concat(pieces: readonly Forecast[]): Forecast {
  const join = (pick: (piece: Forecast) => Float64Array): Float64Array => {
    const joined = new Float64Array(pieces.reduce((sum, piece) => sum + pick(piece).length, 0));
    let position = 0;
    for (const piece of pieces) {
      joined.set(pick(piece), position);
      position += pick(piece).length;
    }
    return joined;
  };
  return {
    timesMs: join(({ timesMs }) => timesMs),
    values: join(({ values }) => values),
    lower: join(({ lower }) => lower),
    upper: join(({ upper }) => upper),
  };
}
