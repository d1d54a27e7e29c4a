import { FltsError } from "@flts/common/contracts/errors";
import { meanOf } from "@flts/common/scaler/sum";
import type { ColumnSource } from "../table/columns.ts";
import { type ClipLimits, clipValues, fitClipLimits } from "./clip.ts";
import { type GridReport, reportGrid } from "./grid.ts";
import { chooseDenseRows, countMissing, fillMissing, interpolateInTime } from "./impute.ts";
import { pickRows, sampleRows } from "./sample.ts";
import type { PreprocessSettings } from "./settings.ts";
import { timeFeature, timeFeatureColumns } from "./time-features.ts";

/** One table on its way through the steps: its rows and columns are chosen, and each feature is computed when it is asked for. */
export interface Frame {
  readonly rows: number;
  /** The measurements that have values, then the time features. */
  readonly features: readonly string[];
  readonly fits: ReadonlyMap<string, ColumnFit>;
  readonly report: TableReport;
  /** A fresh array. */
  times(): Float64Array;
  /** The feature imputed, clipped and shifted, not yet scaled: a fresh array. */
  feature(name: string): Float64Array;
}

/** What a column's own values decide about it. */
export interface ColumnFit {
  readonly missing: number;
  /** Of the values present; in a test column without any, of the train column's. */
  readonly mean: number;
  readonly limits?: ClipLimits;
}

export interface TableReport {
  /** Of the rows that were read, before sampling. */
  readonly grid: GridReport;
  readonly imputation: ImputationReport;
}

/** What was missing and what became of it. */
export interface ImputationReport {
  readonly droppedRows: number;
  /** Columns without a single value. */
  readonly droppedColumns: readonly string[];
  /** Filled cells per column, columns without any left out. */
  readonly filledCells: Readonly<Record<string, number>>;
}

export interface FrameInput {
  readonly source: ColumnSource;
  /** Named in errors. */
  readonly file: string;
  /** 0 keeps all rows. */
  readonly sampleRows: number;
  /** Of a test table: the frame whose columns it has, whose mean fills a column without values, and whose limits may clip it. */
  readonly train?: Frame;
}

/**
 * Chooses a table's rows and looks at every column once (steps 2 to 4 of reference behaviour §4.2). Yields after each column, for a process that
 * has other things to look after.
 * @throws TABLE_TOO_SHORT when nothing remains
 */
export function* openFrame(input: FrameInput, settings: PreprocessSettings): Generator<void, Frame> {
  const { source, file, train } = input;
  const { data, nans, outliers, timeFeatures, scaling } = settings;
  const columns = train === undefined ? source.columns : [...train.fits.keys()];
  const sampled = sampleRows(source.rows, input.sampleRows, data.sampleStrategy, data.sampleSeed);
  const chosen =
    nans.enabled && nans.dropRows ? chooseDenseRows(source, columns, sampled, nans.threshold) : sampled;
  const rows = chosen?.length ?? source.rows;
  const constant = Number(scaling.addConstant ?? 0);

  const times = () => pickRows(source.times(), chosen);
  const impute = (values: Float64Array, { missing, mean }: ColumnFit) => {
    if (!nans.enabled || missing === 0) return values;
    return nans.method === "time" && missing < values.length
      ? interpolateInTime(values, times())
      : fillMissing(values, mean);
  };

  const fits = new Map<string, ColumnFit>();
  const filledCells: Record<string, number> = {};
  for (const name of rows === 0 ? [] : columns) {
    const values = pickRows(source.column(name), chosen);
    const fit = fitColumn(name, values);
    if (fit !== null) fits.set(name, fit);
    if (fit !== null && nans.enabled && fit.missing > 0) filledCells[name] = fit.missing;
    yield;
  }
  if (fits.size === 0)
    throw new FltsError(
      "TABLE_TOO_SHORT",
      `${file}: nothing remains of ${sampled?.length ?? source.rows} rows after dropping empty rows and columns`,
    );

  function fitColumn(name: string, values: Float64Array): ColumnFit | null {
    const missing = countMissing(values);
    const empty = missing === values.length;
    if (empty && nans.enabled && train === undefined) return null;
    const mean = empty && train !== undefined ? train.fits.get(name)!.mean : meanOf(values);
    const fit = { missing, mean };
    if (!outliers.enabled) return fit;
    const limits =
      train !== undefined && outliers.testLimits === "train"
        ? train.fits.get(name)!.limits
        : fitClipLimits(impute(values, fit), outliers.method, outliers.factor);
    return limits === undefined ? fit : { ...fit, limits };
  }

  return {
    rows,
    features: [...fits.keys(), ...(timeFeatures.enabled ? timeFeatureColumns : [])],
    fits,
    report: {
      grid: reportGrid(source.times()),
      imputation: {
        droppedRows: (sampled?.length ?? source.rows) - rows,
        droppedColumns: columns.filter((name) => !fits.has(name)),
        filledCells,
      },
    },
    times,
    feature(name) {
      const fit = fits.get(name);
      if (fit === undefined)
        return timeFeature((timeFeatureColumns as readonly string[]).indexOf(name), times());
      const values = impute(pickRows(source.column(name), chosen), fit);
      if (fit.limits !== undefined) clipValues(values, fit.limits);
      if (constant !== 0) for (let row = 0; row < values.length; row++) values[row]! += constant;
      return values;
    },
  };
}
