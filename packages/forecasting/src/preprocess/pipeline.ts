import { FltsError } from "@flts/common/contracts/errors";
import { fitScaling, scalerKind } from "@flts/common/scaler/fit";
import { applyScaling, type Scaling } from "@flts/common/scaler/scaling";
import { meanOf } from "@flts/common/scaler/sum";
import { columnOf, createTable, mapColumns, rowCount, selectColumns, type Table } from "../table/table.ts";
import { type ClipLimits, clipColumns, fitClipLimits } from "./clip.ts";
import { type GridReport, reportGrid } from "./grid.ts";
import { type ImputationReport, imputeMissing } from "./impute.ts";
import { addLags } from "./lags.ts";
import { sampleRows } from "./sample.ts";
import { checkSettings, type PreprocessSettings } from "./settings.ts";
import { addTimeFeatures } from "./time-features.ts";

export interface TableReport {
  /** Of the rows that were read, before sampling. */
  readonly grid: GridReport;
  readonly imputation: ImputationReport;
}

export interface Preprocessed {
  /** Scaled features, the same columns in the same order in both. */
  readonly train: Table;
  readonly test: Table;
  /** Fitted on the train table, applied to both, to be inverted in every answer. */
  readonly scaling: Scaling;
  readonly report: { readonly train: TableReport; readonly test: TableReport };
}

/**
 * Preprocesses a pair of tables in the reference's order of steps (§4.2): sample, impute, clip, add a constant, time
 * features, lags, scale. Clip limits and scaling are fitted on the train table and applied to the test table.
 * @throws SETTINGS_INVALID, TABLE_TOO_SHORT when no row remains, COLUMN_MISSING when the test table lacks a column
 */
export function preprocessPair(trainRaw: Table, testRaw: Table, settings: PreprocessSettings): Preprocessed {
  checkSettings(settings);
  const { data } = settings;
  const sample = (table: Table, rows: number) =>
    sampleRows(table, rows, data.sampleStrategy, data.sampleSeed);

  const train = impute(sample(trainRaw, data.sampleTrainRows), settings, data.trainFile);
  const testColumns = sample(matchColumns(testRaw, train.table, data), data.sampleTestRows);
  const test = impute(fillEmptyColumns(testColumns, train.table), settings, data.testFile);

  const limits = clipLimits(train.table, settings);
  const testLimits = settings.outliers.testLimits === "train" ? limits : clipLimits(test.table, settings);
  const trainFeatures = deriveFeatures(train.table, limits, settings);
  const testFeatures = deriveFeatures(test.table, testLimits, settings);
  const kind = scalerKind(settings.scaling.method);
  const scaling = fitScaling(kind, trainFeatures.columns, trainFeatures.values);
  return {
    train: scale(trainFeatures, scaling),
    test: scale(testFeatures, scaling),
    scaling,
    report: {
      train: { grid: reportGrid(trainRaw), imputation: train.report },
      test: { grid: reportGrid(testRaw), imputation: test.report },
    },
  };
}

function impute(
  table: Table,
  settings: PreprocessSettings,
  file: string,
): { table: Table; report: ImputationReport } {
  const result = settings.nans.enabled
    ? imputeMissing(table, settings.nans)
    : { table, report: { droppedRows: 0, droppedColumns: [], filledCells: {} } };
  if (rowCount(result.table) === 0 || result.table.columns.length === 0) {
    throw new FltsError(
      "TABLE_TOO_SHORT",
      `${file}: nothing remains of ${rowCount(table)} rows after dropping empty rows and columns`,
    );
  }
  return result;
}

/** The columns that train kept, in its order: a test table may hold more. */
function matchColumns(test: Table, train: Table, { trainFile, testFile }: PreprocessSettings["data"]): Table {
  const missing = train.columns.filter((column) => !test.columns.includes(column));
  if (missing.length > 0) {
    throw new FltsError(
      "COLUMN_MISSING",
      `${testFile} lacks columns that ${trainFile} has: ${missing.join(", ")}`,
    );
  }
  return selectColumns(test, train.columns);
}

/** A test column without a single value, which train has: the train mean, since it cannot be dropped. */
function fillEmptyColumns(test: Table, train: Table): Table {
  return mapColumns(test, (values, column) =>
    values.every(Number.isNaN)
      ? new Float64Array(values.length).fill(meanOf(columnOf(train, column)))
      : values,
  );
}

function clipLimits(table: Table, { outliers }: PreprocessSettings): Readonly<Record<string, ClipLimits>> {
  return outliers.enabled ? fitClipLimits(table, outliers.method, outliers.factor) : {};
}

function deriveFeatures(
  table: Table,
  limits: Readonly<Record<string, ClipLimits>>,
  { scaling, timeFeatures, lags }: PreprocessSettings,
): Table {
  const clipped = clipColumns(table, limits);
  const constant = Number(scaling.addConstant ?? 0);
  const shifted =
    constant === 0 ? clipped : mapColumns(clipped, (values) => values.map((value) => value + constant));
  const timed = timeFeatures.enabled ? addTimeFeatures(shifted) : shifted;
  return lags.enabled ? addLags(timed, lags.count, lags.step) : timed;
}

const scale = (table: Table, scaling: Scaling): Table =>
  createTable(table.timesMs, table.columns, applyScaling(scaling, table.columns, table.values));
