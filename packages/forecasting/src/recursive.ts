import { FltsError } from "@flts/common/contracts/errors";
import { bandsOf, type Intervals, lastStandings } from "./evaluation/intervals.ts";
import type { Forecaster } from "./forecaster.ts";
import { parseLagColumn } from "./preprocess/lags.ts";
import { timeFeatureColumns, timeFeaturesOf } from "./preprocess/time-features.ts";
import { columnOf, rowCount, sliceRows, type Table, toMatrix } from "./table/table.ts";

/** The steps after a history, in raw units. */
export interface Forecast {
  readonly targets: readonly string[];
  /** `[steps]` */
  readonly timesMs: Float64Array;
  /** Each `[steps, targets]`, row-major; lower ≤ upper, see `bandsOf` for where the forecast lies. */
  readonly forecast: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/**
 * Forecasts the `steps` steps after the last row of `history`: this is what is served.
 * @param history raw units, times rising; all of the forecaster's columns except time features, which are computed
 * @throws COLUMN_MISSING, TABLE_TOO_SHORT for fewer rows than the forecaster's window
 */
export async function forecastAfter(
  forecaster: Forecaster,
  intervals: Intervals,
  history: Table,
  steps: number,
): Promise<Forecast> {
  const { targets, stepMs } = forecaster;
  const windows = lastWindow(forecaster, history);
  const end = history.timesMs[rowCount(history) - 1]!;
  const rolled = await rollForward(forecaster, windows, Float64Array.of(end), steps);
  // A load that was never negative will not be so: a model may stray below, an answer must not.
  const forecast = rolled.map((value, position) =>
    Math.max(value, intervals.targets[position % targets.length]?.minimum ?? Number.NEGATIVE_INFINITY),
  );
  const standings = lastStandings(
    intervals,
    targets.map((target) => columnOf(history, target)),
  );
  const { lower, upper } = bandsOf(intervals, standings, forecast);
  const timesMs = Float64Array.from({ length: steps }, (_, step) => end + (step + 1) * stepMs);
  return { targets, timesMs, forecast, lower, upper };
}

/** The forecaster's window at the end of a history: `[window, columns]`. @throws COLUMN_MISSING, TABLE_TOO_SHORT */
export function lastWindow({ window, columns }: Forecaster, history: Table): Float64Array {
  const rows = rowCount(history);
  if (rows < window) {
    throw new FltsError(
      "TABLE_TOO_SHORT",
      `Not enough rows (${rows}) for input_len=${window}: give at least ${window} rows of history`,
    );
  }
  return toMatrix(withTimeFeatures(sliceRows(history, rows - window), columns), columns);
}

/** `table` with those of the six time features that `columns` names and it lacks. */
export function withTimeFeatures(table: Table, columns: readonly string[]): Table {
  const lacking = timeFeatureColumns.filter(
    (name) => columns.includes(name) && !table.columns.includes(name),
  );
  if (lacking.length === 0) return table;
  const features = timeFeaturesOf(table.timesMs);
  return {
    timesMs: table.timesMs,
    columns: [...table.columns, ...lacking],
    values: [...table.values, ...lacking.map((name) => features[timeFeatureColumns.indexOf(name)]!)],
  };
}

/**
 * Rolls each window `steps` steps forward, feeding forecasts back where the forecaster's own horizon ends: targets are what was
 * forecast, time features those of the future time, lags come out of the window, and everything else keeps its last value.
 * @param windows `[n, window, columns]`, raw units
 * @param endTimesMs `[n]`
 * @returns `[n, steps, targets]`, raw units
 */
export async function rollForward(
  forecaster: Forecaster,
  windows: Float64Array,
  endTimesMs: Float64Array,
  steps: number,
): Promise<Float64Array> {
  const { horizon, targets } = forecaster;
  const blocks = Math.ceil(steps / horizon);
  const [current, ends] = blocks > 1 ? [windows.slice(), endTimesMs.slice()] : [windows, endTimesMs];
  const rolled = await rollOn(forecaster, current, ends, blocks, false);
  if (steps === blocks * horizon) return rolled;
  const count = endTimesMs.length;
  const answers = new Float64Array(count * steps * targets.length);
  const [kept, width] = [steps * targets.length, blocks * horizon * targets.length];
  for (let index = 0; index < count; index++)
    answers.set(rolled.subarray(index * width, index * width + kept), index * kept);
  return answers;
}

/**
 * As {@link rollForward}, by whole answers of the forecaster and in place.
 * @param windows moved on where `goesOn`, so that the next call begins where this one ends; otherwise left where the last answer was asked for
 * @param endTimesMs moved on with them
 * @param blocks how often the forecaster is asked
 * @returns `[n, blocks * horizon, targets]`, raw units
 */
export async function rollOn(
  forecaster: Forecaster,
  windows: Float64Array,
  endTimesMs: Float64Array,
  blocks: number,
  goesOn: boolean,
): Promise<Float64Array> {
  const { horizon, targets } = forecaster;
  const size = horizon * targets.length;
  const answers = new Float64Array(endTimesMs.length * blocks * size);
  const advance = windowMover(forecaster);
  for (let block = 0; block < blocks; block++) {
    const answer = await forecaster.predict(windows, endTimesMs);
    for (let index = 0; index < endTimesMs.length; index++)
      answers.set(answer.subarray(index * size, (index + 1) * size), (index * blocks + block) * size);
    if (goesOn || block + 1 < blocks) advance(windows, endTimesMs, answer);
  }
  return answers;
}

/** Moves windows on by what was forecast for them, in place. */
function windowMover({ horizon, stepMs, targets, columns, window }: Forecaster) {
  const advance = rowMaker(columns, targets, window);
  const cells = window * columns.length;
  return (windows: Float64Array, endTimesMs: Float64Array, answer: Float64Array): void => {
    for (let step = 0; step < horizon; step++) {
      for (let index = 0; index < endTimesMs.length; index++) endTimesMs[index]! += stepMs;
      const features = timeFeaturesOf(endTimesMs);
      for (let index = 0; index < endTimesMs.length; index++) {
        const rows = windows.subarray(index * cells, (index + 1) * cells);
        const values = answer.subarray((index * horizon + step) * targets.length);
        advance(rows, values, (feature) => features[feature]![index]!);
      }
    }
  };
}

/** Moves a window one row on in place: the first row goes, a new last row is made. */
function rowMaker(columns: readonly string[], targets: readonly string[], window: number) {
  const width = columns.length;
  const sources = columns.map((column) => ({
    target: targets.indexOf(column),
    feature: timeFeatureColumns.findIndex((name) => name === column),
    lag: lagSource(column, columns, window),
  }));
  return (rows: Float64Array, answer: Float64Array, feature: (index: number) => number): void => {
    rows.copyWithin(0, width);
    const last = (window - 1) * width;
    // After the shift the last row still holds the values before it: what is not set here keeps its last value.
    for (const [column, source] of sources.entries()) {
      if (source.target >= 0) rows[last + column] = answer[source.target]!;
      else if (source.feature >= 0) rows[last + column] = feature(source.feature);
    }
    for (const [column, { lag }] of sources.entries()) {
      if (lag !== undefined) rows[last + column] = rows[(window - 1 - lag.n) * width + lag.column]!;
    }
  };
}

/** Where in the window a lag's value stands; `undefined` for a column that is no lag or reaches further back. */
function lagSource(name: string, columns: readonly string[], window: number) {
  const lag = parseLagColumn(name);
  const column = lag === undefined ? -1 : columns.indexOf(lag.column);
  return lag === undefined || column < 0 || lag.n >= window ? undefined : { column, n: lag.n };
}
