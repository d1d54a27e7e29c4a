import { FltsError } from "@flts/common/contracts/errors";
import { sha256 } from "@flts/common/contracts/identity";
import {
  invertScaling,
  type Scaling,
  scaleValues,
  scalingOf,
  scalingSchema,
} from "@flts/common/scaler/scaling";
import { forecastsBefore, seriesOf } from "@flts/forecasting/evaluation/forecasts";
import { bandsOfAll, calibrateIntervals, type Intervals } from "@flts/forecasting/evaluation/intervals";
import { coverage, measure } from "@flts/forecasting/evaluation/metrics";
import { rollAhead, rollForecasts } from "@flts/forecasting/evaluation/rolling";
import { type RowRange, type RowSplit, splitRows } from "@flts/forecasting/evaluation/split";
import type { Forecaster } from "@flts/forecasting/forecaster";
import { interleave } from "@flts/forecasting/interleave";
import { stepOf } from "@flts/forecasting/preprocess/grid";
import { readParquet } from "@flts/forecasting/table/parquet";
import {
  columnOf,
  createTable,
  rowCount,
  sliceRows,
  type Table,
  toMatrix,
} from "@flts/forecasting/table/table";
import type { Artifact } from "./artifact.ts";
import type { Family, Progress } from "./family.ts";
import type { Manifest, ModelDescription, Provenance } from "./manifest.ts";
import { mlflowFiles } from "./mlmodel.ts";
import { MODEL_FILE } from "./onnx-forecaster.ts";

/** A training as plain data: what a process needs to do it, wherever it runs. */
export interface FitWork {
  /** The claimed table's bytes. */
  readonly parquet: Uint8Array;
  readonly targets: readonly string[];
  readonly settings: Readonly<Record<string, unknown>>;
  /** Makes every random choice. */
  readonly seed: string;
  readonly provenance: Provenance;
  /** The round's other models, for a family that combines them. */
  readonly members?: readonly Artifact[];
}

export interface FitOptions extends FitWork {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export interface FittedModel {
  readonly artifact: Artifact;
  /** Files of the run that are not part of the model, by their path in the run. */
  readonly attachments: ReadonlyMap<string, Uint8Array>;
  /** For the run: parameters, and metrics by step. */
  readonly params: Readonly<Record<string, string>>;
  readonly metrics: readonly { readonly name: string; readonly value: number; readonly step: number }[];
  readonly scores: Manifest["scores"];
}

/** Steps ahead that intervals are calibrated for: an hour of two-minute rows. */
export const CALIBRATED_STEPS = 30;

/**
 * Trains a family and does what is the same for all: cuts the rows, scores on rows that nothing fitted or chose by, calibrates intervals on all that the model
 * was not fitted on (their coverage is measured on the score rows before), and writes it all down.
 * @throws TABLE_INVALID, TABLE_TOO_SHORT, COLUMN_MISSING, SETTINGS_INVALID, MEMBERS_MISSING, TRAINING_DIVERGED
 */
export async function fitFamily(family: Family, options: FitOptions): Promise<FittedModel> {
  const { targets, settings, seed, provenance, members = [], signal, onProgress } = options;
  const { table, metadata } = await readParquet(options.parquet);
  const scaling = scalingIn(metadata);
  for (const target of targets) columnOf(table, target);
  const { window, horizon } = family.shapeOf(settings, members);
  const split = splitRows(rowCount(table), { window, horizon });
  const trained = await family.train({
    table,
    scaling,
    targets,
    split,
    members,
    settings,
    seed,
    signal,
    onProgress,
  });

  const raw = createTable(table.timesMs, table.columns, invertScaling(scaling, table.columns, table.values));
  const description: ModelDescription = {
    columns: [...(trained.columns ?? table.columns)],
    targets: [...targets],
    window,
    horizon,
    step_ms: stepOf(table),
  };
  const files = trained.files.has(MODEL_FILE)
    ? new Map([...trained.files, ...mlflowFiles(description, provenance.work_key.slice(0, 32))])
    : trained.files;
  const forecaster = await family.load(files, description);
  try {
    const { intervals, ofCalibrate } = await calibrate(forecaster, raw, split);
    const { scores, covered } = await score(forecaster, raw, split.score, scaling, ofCalibrate);
    const manifest: Manifest = {
      v: 1,
      family: family.name,
      ...description,
      ...provenance,
      settings: { ...settings },
      scaling: { kind: scaling.kind, columns: [...scaling.columns] },
      rows: split,
      data: {
        from_ms: raw.timesMs[0] ?? 0,
        to_ms: raw.timesMs.at(-1) ?? 0,
        trained_until_ms: raw.timesMs[(trained.rowsSeen ?? split.stop[1]) - 1] ?? 0,
      },
      intervals,
      scores,
      self_test: await selfTest(forecaster, raw, split.score[0]),
      files: Object.fromEntries(
        [...files].map(([name, bytes]) => [name, { sha256: sha256(bytes), size: bytes.byteLength }]),
      ),
    };
    return {
      artifact: { manifest, files },
      attachments: new Map([...trained.attachments, ...provenanceFiles(metadata, scaling)]),
      params: trained.params,
      metrics: [...trained.metrics, ...scoreMetrics(scores, covered)],
      scores,
    };
  } finally {
    await forecaster.close();
  }
}

function scalingIn(metadata: Readonly<Record<string, string>>): Scaling {
  const text = metadata["scaling"];
  if (text === undefined)
    throw new FltsError(
      "TABLE_INVALID",
      "the table's metadata has no 'scaling': preprocess it again with this release",
    );
  try {
    return scalingSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new FltsError("TABLE_INVALID", "the table's metadata has a 'scaling' that cannot be read", cause);
  }
}

/** What the reference keeps beside a model: how its table was made, and the limits it was scaled by. */
function provenanceFiles(
  metadata: Readonly<Record<string, string>>,
  scaling: Scaling,
): [string, Uint8Array][] {
  const encoder = new TextEncoder();
  return [
    ["preprocess/preprocess_config.json", encoder.encode(metadata["preprocess_config"] ?? "{}")],
    ["scaler/scaling.json", encoder.encode(`${JSON.stringify(scaling, null, 2)}\n`)],
  ];
}

/**
 * Intervals of the calibrate rows, whose coverage the score rows can measure; and those that are stored: intervals decide on no
 * promotion, so that once the score rows have judged they may teach them too.
 */
async function calibrate(
  forecaster: Forecaster,
  raw: Table,
  { calibrate: [first, border], score: [, end] }: RowSplit,
): Promise<{ readonly intervals: Intervals; readonly ofCalibrate: Intervals }> {
  const rows: RowRange = [first, end];
  const columns = forecaster.targets.map((target) => columnOf(raw, target));
  const next = await rollForecasts(forecaster, raw, { rows });
  const ahead = await rollAhead(forecaster, raw, { rows, horizon: CALIBRATED_STEPS });
  return {
    intervals: calibrateIntervals({ next, ahead }, columns),
    ofCalibrate: calibrateIntervals({ next: forecastsBefore(next, border) }, columns),
  };
}

async function score(
  forecaster: Forecaster,
  raw: Table,
  rows: RowRange,
  scaling: Scaling,
  intervals: Intervals,
): Promise<{ readonly scores: Manifest["scores"]; readonly covered: number }> {
  const rolled = await rollForecasts(forecaster, raw, { rows });
  const scaled = forecaster.targets.map((target, index) => {
    const { actual, forecast } = seriesOf(rolled, index);
    const column = scalingOf(scaling, target);
    return { actual: scaleValues(column, actual), forecast: scaleValues(column, forecast) };
  });
  const { rmse, mae, mse, r2 } = measure(
    interleave(scaled.map(({ actual }) => actual)),
    interleave(scaled.map(({ forecast }) => forecast)),
    forecaster.targets.length,
  );
  const bands = bandsOfAll(
    intervals,
    rolled,
    forecaster.targets.map((target) => columnOf(raw, target)),
  );
  return { scores: { rmse, mae, mse, r2 }, covered: coverage(rolled.actual, bands.lower, bands.upper) };
}

const scoreMetrics = ({ rmse, mae, mse, r2 }: Manifest["scores"], covered: number) =>
  Object.entries({
    score_rmse: rmse,
    score_mae: mae,
    score_mse: mse,
    score_r2: r2,
    score_coverage90: covered,
  })
    .filter((entry): entry is [string, number] => entry[1] !== null)
    .map(([name, value]) => ({ name, value, step: 1 }));

/** One window and the answer to it: whoever loads the model can see that it still gives it. */
async function selfTest(
  forecaster: Forecaster,
  raw: Table,
  firstRow: number,
): Promise<Manifest["self_test"]> {
  const rows = sliceRows(raw, firstRow, firstRow + forecaster.window);
  const window = toMatrix(rows, forecaster.columns);
  const endTime = rows.timesMs.at(-1) ?? 0;
  const forecast = await forecaster.predict(window, Float64Array.of(endTime));
  return {
    window: Array.from(window, (value) => (Number.isNaN(value) ? null : value)),
    end_time_ms: endTime,
    forecast: Array.from(forecast),
  };
}
