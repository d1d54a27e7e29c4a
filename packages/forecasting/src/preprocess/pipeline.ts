import { FltsError } from "@flts/common/contracts/errors";
import { fitColumn, scalerKind } from "@flts/common/scaler/fit";
import { type ColumnScaling, type Scaling, scaleValues, scalingOf } from "@flts/common/scaler/scaling";
import { type ColumnSink, type ColumnSource, collectColumns, columnsOf } from "../table/columns.ts";
import type { Table } from "../table/table.ts";
import { type Frame, openFrame, type TableReport } from "./frame.ts";
import { modalStep } from "./grid.ts";
import { dropMissing } from "./impute.ts";
import { lagColumn, lagValues, rowsBefore } from "./lags.ts";
import { checkSettings, type PreprocessSettings } from "./settings.ts";

/** The same for the train table and the test table. */
export interface Pair<T> {
  readonly train: T;
  readonly test: T;
}

export interface Fitted {
  /** Fitted on the train table, applied to both, to be inverted in every answer. */
  readonly scaling: Scaling;
  readonly report: Pair<TableReport>;
}

/** Scaled features, the same columns in the same order in both tables. */
export type Preprocessed = Pair<Table> & Fitted;

/** {@link preprocessColumns} on tables in memory. */
export function preprocessPair(train: Table, test: Table, settings: PreprocessSettings): Preprocessed {
  const sinks = { train: collectColumns(), test: collectColumns() };
  const steps = preprocessColumns({ train: columnsOf(train), test: columnsOf(test) }, sinks, settings);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return { train: sinks.train.table(), test: sinks.test.table(), ...step.value };
  }
}

/**
 * Preprocesses a pair of tables in the reference's order of steps (§4.2): sample, impute, clip, add a constant, time
 * features, lags, scale. Clip limits and scaling are fitted on the train table and applied to the test table. First every column is looked at, then every
 * column is made, so that a few columns are in memory at any time, however many rows there are. Yields between columns.
 * @throws SETTINGS_INVALID, TABLE_TOO_SHORT when no row remains, COLUMN_MISSING when the test table lacks a column, TABLE_INVALID when a column has the name
 * of a feature that is to be made
 */
export function* preprocessColumns(
  raw: Pair<ColumnSource>,
  sinks: Pair<ColumnSink>,
  settings: PreprocessSettings,
): Generator<void, Fitted> {
  checkSettings(settings);
  const { data, scaling: scaler } = settings;
  const kind = scalerKind(scaler.method);
  const train = yield* openFrame(
    { source: raw.train, file: data.trainFile, sampleRows: data.sampleTrainRows },
    settings,
  );
  assertColumns(raw.test, train, data);
  const test = yield* openFrame(
    { source: raw.test, file: data.testFile, sampleRows: data.sampleTestRows, train },
    settings,
  );
  assertNames(train, settings);

  const columns: ColumnScaling[] = [];
  for (const { name, make } of outputColumns(train, settings)) {
    const values = make();
    const present = dropMissing(values);
    const scaling = fitColumn(kind, name, present);
    columns.push(scaling);
    const whole = present.length === values.length ? values : make();
    sinks.train.putColumn(name, scaleInPlace(scaling, whole));
    yield;
  }
  sinks.train.putTimes(train.times().subarray(rowsLost(settings)));
  const scaling = { kind, columns };
  for (const { name, make } of outputColumns(test, settings)) {
    sinks.test.putColumn(name, scaleInPlace(scalingOf(scaling, name), make()));
    yield;
  }
  sinks.test.putTimes(test.times().subarray(rowsLost(settings)));
  return { scaling, report: { train: train.report, test: test.report } };
}

interface OutputColumn {
  readonly name: string;
  /** A fresh array, not yet scaled. */
  readonly make: () => Float64Array;
}

/**
 * Every feature and then, for n = step, 2·step … count·step, every feature as it was n sampling steps earlier, found by time. Only the first
 * `count` rows are dropped, as in the reference (§4.2), so that with a step above 1 the first rows that remain have gaps.
 */
function* outputColumns(frame: Frame, settings: PreprocessSettings): Generator<OutputColumn> {
  const count = rowsLost(settings);
  if (frame.rows <= count)
    throw new FltsError(
      "TABLE_TOO_SHORT",
      `${count} lags need more than ${count} rows, there are ${frame.rows}; lower LAGS_N or give more rows`,
    );
  for (const name of frame.features) yield { name, make: () => frame.feature(name).subarray(count) };
  if (count === 0) return;
  const stepMs = modalStep(frame.times());
  for (const n of lagsOf(settings)) {
    const sources = rowsBefore(frame.times(), n * stepMs);
    for (const name of frame.features)
      yield {
        name: lagColumn(name, n),
        make: () => lagValues(frame.feature(name), sources).subarray(count),
      };
  }
}

/** `scaleValues` piece by piece, so that no second column is needed. */
function scaleInPlace(scaling: ColumnScaling, values: Float64Array): Float64Array {
  for (let start = 0; start < values.length; start += PIECE_ROWS)
    values.set(scaleValues(scaling, values.subarray(start, start + PIECE_ROWS)), start);
  return values;
}

const PIECE_ROWS = 65_536;

/** The first rows have no past to take lags from. */
const rowsLost = ({ lags }: PreprocessSettings): number => (lags.enabled ? lags.count : 0);

const lagsOf = (settings: PreprocessSettings): readonly number[] =>
  Array.from({ length: rowsLost(settings) }, (_, index) => settings.lags.step * (index + 1));

/** The test table has the columns that train kept; it may have more. */
function assertColumns(
  test: ColumnSource,
  train: Frame,
  { trainFile, testFile }: PreprocessSettings["data"],
): void {
  const missing = [...train.fits.keys()].filter((column) => !test.columns.includes(column));
  if (missing.length > 0)
    throw new FltsError(
      "COLUMN_MISSING",
      `${testFile} lacks columns that ${trainFile} has: ${missing.join(", ")}`,
    );
}

/** A file may have a column of its own that is called like a feature. */
function assertNames(frame: Frame, settings: PreprocessSettings): void {
  const lags = lagsOf(settings).flatMap((n) => frame.features.map((name) => lagColumn(name, n)));
  const names = [...frame.features, ...lags];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new FltsError(
      "TABLE_INVALID",
      `${settings.data.trainFile}: column '${twice}' has the name of a feature that is computed; rename it, or switch time features or lags off`,
    );
}
