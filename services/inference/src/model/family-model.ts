import type { Manifest } from "@flts/families/manifest";
import { bandsOfAll } from "@flts/forecasting/evaluation/intervals";
import { parseLagColumn } from "@flts/forecasting/preprocess/lags";
import { withTimeFeatures } from "@flts/forecasting/recursive";
import { appendColumns, columnOf, rowCount, type Table, toMatrix } from "@flts/forecasting/table/table";
import { copyWindows } from "@flts/forecasting/windows";
import type { Caller } from "../compute/batch-queue.ts";
import type { SharedForecaster } from "../compute/compute.ts";
import { lastWindowMaker, measurementsOf } from "./last-window.ts";
import type { ServableModel } from "./servable-model.ts";

/** Beside its files a model has a session in the thread that computes and one in the thread that answers, each with the weights once more and scratch memory. */
const BYTES_PER_FILE_BYTE = 5;

/** A family's model as serving sees it: what it wants beside measurements is computed from them. */
export function servableModel(manifest: Manifest, forecaster: SharedForecaster): ServableModel {
  const { columns, targets, window, horizon, step_ms: stepMs, intervals } = manifest;
  const inputColumns = measurementsOf(columns);
  const makeLastWindow = lastWindowMaker({ columns, window, stepMs });
  const lags = columns.filter((column) => parseLagColumn(column) !== undefined);
  const positions = targets.map((target) => inputColumns.indexOf(target));
  const minima = intervals.targets.map(({ minimum }) => minimum ?? Number.NEGATIVE_INFINITY);

  /** A load that was never negative will not be so: a model may stray below, an answer must not. */
  const bounded = (forecast: Float64Array): Float64Array =>
    forecast.map((value, position) => Math.max(value, minima[position % targets.length]!));

  /** `[n, steps, targets]` after each window; the model is asked again with its own answers where they are more than it gives at once. */
  async function roll(
    windows: Float64Array,
    ends: Float64Array,
    steps: number,
    caller?: Caller,
  ): Promise<Float64Array> {
    const blocks = Math.ceil(steps / horizon);
    const rolled = await forecaster.roll(windows, ends, blocks, caller);
    return firstSteps(rolled, ends.length, blocks * horizon, steps, targets.length);
  }

  function timesAfter(end: number, steps: number): Float64Array {
    const timesMs = new Float64Array(steps);
    for (let step = 0; step < steps; step++) timesMs[step] = end + (step + 1) * stepMs;
    return timesMs;
  }

  /** Of `steps` steps after each of the origins, which are rows of the history. */
  function bandsAround(history: Table, forecast: Float64Array, origins: Int32Array, steps: number) {
    const measured = positions.map((position) => history.values[position]!);
    return bandsOfAll(intervals, { targets, horizon: steps, origins, actual: NONE, forecast }, measured);
  }

  /** Where targets stood in each window, laid out so that no look back reaches into the window before. */
  function measuredIn(windows: Float64Array, count: number) {
    const stride = Math.max(window, intervals.window);
    const origins = Int32Array.from({ length: count }, (_, index) => (index + 1) * stride - 1);
    const measured = targets.map((target) => {
      const column = columns.indexOf(target);
      const series = new Float64Array(count * stride).fill(Number.NaN);
      for (let index = 0; index < count; index++)
        for (let row = 0; row < window; row++)
          series[(index + 1) * stride - window + row] =
            windows[(index * window + row) * columns.length + column]!;
      return series;
    });
    return { origins, measured };
  }

  return {
    inputColumns,
    columns,
    targets,
    window,
    horizon,
    stepMs,
    trainedOn: { fromMs: manifest.data.from_ms, toMs: manifest.data.to_ms },
    sizeBytes: BYTES_PER_FILE_BYTE * Object.values(manifest.files).reduce((sum, { size }) => sum + size, 0),

    async forecast(history, steps, caller) {
      const last = rowCount(history) - 1;
      const end = history.timesMs[last]!;
      const values = bounded(await roll(makeLastWindow(history), Float64Array.of(end), steps, caller));
      return {
        timesMs: timesAfter(end, steps),
        values,
        ...bandsAround(history, values, Int32Array.of(last), steps),
      };
    },

    async forecastEach(histories, steps, caller) {
      const cells = window * columns.length;
      const windows = new Float64Array(histories.length * cells);
      for (const [index, history] of histories.entries()) windows.set(makeLastWindow(history), index * cells);
      const ends = Float64Array.from(histories, ({ timesMs }) => timesMs.at(-1)!);
      const all = bounded(await roll(windows, ends, steps, caller));
      return histories.map((history, index) => {
        const size = steps * targets.length;
        const values = all.subarray(index * size, (index + 1) * size);
        const origin = Int32Array.of(rowCount(history) - 1);
        return {
          timesMs: timesAfter(ends[index]!, steps),
          values,
          ...bandsAround(history, values, origin, steps),
        };
      });
    },

    async forecastWindows(windows, endTimesMs, caller) {
      const values = bounded(await forecaster.predict(windows, endTimesMs, caller));
      const { origins, measured } = measuredIn(windows, endTimesMs.length);
      return {
        values,
        ...bandsOfAll(intervals, { targets, horizon, origins, actual: NONE, forecast: values }, measured),
      };
    },

    async backtest(history, steps, caller) {
      const count = Math.min(steps, rowCount(history) - window);
      const matrix = toMatrix(withTimeFeatures(withLags(history, lags, stepMs), columns), columns);
      const windows = copyWindows(matrix, columns.length, 0, count, window);
      const origins = Int32Array.from({ length: count }, (_, row) => window - 1 + row);
      const answers = await forecaster.predict(
        windows,
        history.timesMs.slice(window - 1, window - 1 + count),
        caller,
      );
      const values = bounded(firstSteps(answers, count, horizon, 1, targets.length));
      const timesMs = history.timesMs.slice(window, window + count);
      return { timesMs, values, ...bandsAround(history, values, origins, 1) };
    },

    close: () => forecaster.close(),
  };
}

/** What the values will be is not known yet. */
const NONE = new Float64Array();

/** The first `kept` steps of each answer: `[n, kept, targets]` of `[n, steps, targets]`. */
function firstSteps(
  answers: Float64Array,
  count: number,
  steps: number,
  kept: number,
  targets: number,
): Float64Array {
  if (kept === steps) return answers;
  const first = new Float64Array(count * kept * targets);
  for (let row = 0; row < count; row++) {
    const from = row * steps * targets;
    first.set(answers.subarray(from, from + kept * targets), row * kept * targets);
  }
  return first;
}

/** `history` with the named lag columns on its right; a value from before its first row is missing. @throws COLUMN_MISSING */
function withLags(history: Table, lags: readonly string[], stepMs: number): Table {
  if (lags.length === 0) return history;
  const rowAt = new Map(Array.from(history.timesMs, (timeMs, row) => [timeMs, row]));
  const values = lags.map((name) => {
    const { column, n } = parseLagColumn(name)!;
    const source = columnOf(history, column);
    return history.timesMs.map((timeMs) => source[rowAt.get(timeMs - n * stepMs) ?? -1] ?? Number.NaN);
  });
  return appendColumns(history, lags, values);
}
