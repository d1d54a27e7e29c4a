import { parseLagColumn } from "@flts/forecasting/preprocess/lags";
import { timeFeatureColumns, timeFeaturesOf } from "@flts/forecasting/preprocess/time-features";
import { rowCount, type Table } from "@flts/forecasting/table/table";

export interface WindowColumns {
  /** Of a window, in order: measurements, time features, lags of measurements. */
  readonly columns: readonly string[];
  readonly window: number;
  readonly stepMs: number;
}

/** What a history must have so that such windows can be made of it: time features and lags are computed. */
export const measurementsOf = (columns: readonly string[]): string[] => [
  ...new Set(
    columns
      .filter((column) => featureIndex(column) < 0)
      .map((column) => parseLagColumn(column)?.column ?? column),
  ),
];

/**
 * Prepares the making of windows out of histories, so that each costs a few microseconds: every request needs one.
 * @returns a function from a history, whose columns are `measurementsOf(columns)` in order and which has at least `window` rows, to `[window, columns]`. A lag whose
 * row the history lacks is NaN
 */
export function lastWindowMaker({
  columns,
  window,
  stepMs,
}: WindowColumns): (history: Table) => Float64Array {
  const width = columns.length;
  const measurements = measurementsOf(columns);
  const plain = columns.map((column) => measurements.indexOf(column));
  const features = columns.map(featureIndex);
  const hasFeatures = features.some((feature) => feature >= 0);
  const lags = columns.flatMap((name, column) => {
    const lag = parseLagColumn(name);
    return lag === undefined
      ? []
      : [{ column, source: measurements.indexOf(lag.column), agoMs: lag.n * stepMs }];
  });
  const featuresAt = timeFeatureReader();

  return (history) => {
    const { timesMs, values } = history;
    const cells = new Float64Array(window * width);
    const first = rowCount(history) - window;
    for (let column = 0; column < width; column++) {
      const source = values[plain[column]!];
      if (source === undefined) continue;
      for (let row = 0; row < window; row++) cells[row * width + column] = source[first + row]!;
    }
    if (hasFeatures)
      for (let row = 0; row < window; row++) {
        const found = featuresAt(timesMs[first + row]!);
        for (let column = 0; column < width; column++) {
          const feature = features[column]!;
          if (feature >= 0) cells[row * width + column] = found[feature]!;
        }
      }
    for (const { column, source, agoMs } of lags)
      for (let row = 0; row < window; row++)
        cells[row * width + column] =
          values[source]?.[rowAt(timesMs, timesMs[first + row]! - agoMs)] ?? Number.NaN;
    return cells;
  };
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any other name is not among them
const featureIndex = (column: string): number => timeFeatureColumns.indexOf(column as never);

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** The two of the minute come first. */
const OF_MINUTE = 2;

/**
 * The six features of a time, in an array that is used again. Those of a minute are looked up, those of a day are computed when the day changes: the same
 * numbers as `timeFeaturesOf` gives.
 */
function timeFeatureReader(): (timeMs: number) => Float64Array {
  const [sines, cosines] = timeFeaturesOf(
    Float64Array.from({ length: 1440 }, (_, minute) => minute * MINUTE_MS),
  );
  const features = new Float64Array(timeFeatureColumns.length);
  let day = Number.NaN;
  return (timeMs) => {
    const today = Math.floor(timeMs / DAY_MS);
    if (today !== day) {
      day = today;
      const ofDay = timeFeaturesOf(Float64Array.of(timeMs));
      for (let feature = OF_MINUTE; feature < features.length; feature++)
        features[feature] = ofDay[feature]![0]!;
    }
    const minute = Math.floor((timeMs - today * DAY_MS) / MINUTE_MS);
    features[0] = sines![minute]!;
    features[1] = cosines![minute]!;
    return features;
  };
}

/** The row of a time among risen times; −1 where there is none. */
function rowAt(timesMs: Float64Array, timeMs: number): number {
  let [low, high] = [0, timesMs.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = timesMs[middle]!;
    if (found === timeMs) return middle;
    if (found < timeMs) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
