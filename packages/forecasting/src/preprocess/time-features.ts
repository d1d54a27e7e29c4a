import { appendColumns, type Table } from "../table/table.ts";

/** The six columns that say where in the day, the week and the year a row lies, in the reference's order. */
export const timeFeatureColumns = [
  "min_of_day_sin",
  "min_of_day_cos",
  "day_of_week_sin",
  "day_of_week_cos",
  "day_of_year_sin",
  "day_of_year_cos",
] as const;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Days from a Monday to 1970-01-01. */
const EPOCH_DAY_OF_WEEK = 3;

/** Each period in the unit of its part; the names are the columns without `_sin` and `_cos`. */
const parts: readonly { readonly period: number; readonly of: (timeMs: number) => number }[] = [
  { period: 1440, of: (timeMs) => Math.floor(positiveModulo(timeMs, DAY_MS) / MINUTE_MS) },
  { period: 7, of: (timeMs) => positiveModulo(Math.floor(timeMs / DAY_MS) + EPOCH_DAY_OF_WEEK, 7) },
  { period: 365.25, of: dayOfYear },
];

/**
 * The six features of each time, one array per column: sine and cosine of 2π·x/period for the minute of the day, the day
 * of the week (Monday = 0) and the day of the year (1 January = 1), in the reference's order of operations (§4.2). A day on
 * which clocks change is an ordinary day.
 */
export const timeFeaturesOf = (timesMs: Float64Array): Float64Array[] =>
  timeFeatureColumns.map((_, index) => timeFeature(index, timesMs.slice()));

/** The feature `timeFeatureColumns[index]` of each time, written over the times. */
export function timeFeature(index: number, timesMs: Float64Array): Float64Array {
  const { period, of } = parts[index >> 1]!;
  const wave = index % 2 === 0 ? Math.sin : Math.cos;
  const unit = (2 * Math.PI) / period;
  for (let row = 0; row < timesMs.length; row++) timesMs[row] = wave(of(timesMs[row]!) * unit);
  return timesMs;
}

/** `table` with the six features on its right. */
export function addTimeFeatures(table: Table): Table {
  return appendColumns(table, timeFeatureColumns, timeFeaturesOf(table.timesMs));
}

function dayOfYear(timeMs: number): number {
  const year = new Date(timeMs).getUTCFullYear();
  const newYear = new Date(0).setUTCFullYear(year);
  return Math.floor((timeMs - newYear) / DAY_MS) + 1;
}

const positiveModulo = (value: number, modulus: number) => ((value % modulus) + modulus) % modulus;
