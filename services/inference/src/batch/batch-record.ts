import type { LoggedBatch } from "@flts/common/contracts/inference-log";
import { coverage, measure } from "@flts/forecasting/evaluation/metrics";
import { columnOf, type Table } from "@flts/forecasting/table/table";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import type { Forecast } from "../model/servable-model.ts";

export interface BatchRecordOptions {
  readonly targets: readonly string[];
  readonly predictionHash: string;
  /** Steps whose error is listed, and columns that samples show. */
  readonly maxErrorSteps: number;
  readonly maxSampleColumns: number;
}

type Findings = Pick<LoggedBatch, "metrics" | "samples">;

/**
 * What a one-step pass over a table found, as the reference logs it (behaviour §7.6).
 * @param forecast of the last rows of `table`, one after the other, raw units
 */
export function findingsOf(table: Table, forecast: Forecast, options: BatchRecordOptions): Findings {
  const { targets, predictionHash: prediction_hash, maxErrorSteps, maxSampleColumns } = options;
  const rows = forecast.timesMs.length;
  const actual = lastCells(table, targets, rows);
  const pass = { forecast, actual, before: lastCells(table, targets, rows, 1), targets };
  const known = Array.from({ length: rows }, (_, row) => row).filter((row) =>
    targets.every((_, target) => Number.isFinite(actual[row * targets.length + target])),
  );
  const errors =
    known.length === 0
      ? { metrics_error: "no row that was forecast has all of its values" }
      : errorsOf(pass, known, maxErrorSteps);
  return {
    metrics: { ...errors, prediction_hash, rows_predicted: rows },
    samples: samplePositions(rows).map((row) => sampleAt(pass, row, maxSampleColumns)),
  };
}

interface Pass {
  readonly forecast: Forecast;
  /** `[rows, targets]`, row-major; NaN where a cell has no value. */
  readonly actual: Float64Array;
  /** Of the row before each. */
  readonly before: Float64Array;
  readonly targets: readonly string[];
}

/** The last `rows` values of the targets, or those `earlier` rows before them: `[rows, targets]`. */
function lastCells(table: Table, targets: readonly string[], rows: number, earlier = 0): Float64Array {
  const cells = new Float64Array(rows * targets.length);
  for (const [target, name] of targets.entries()) {
    const column = columnOf(table, name);
    const first = column.length - rows - earlier;
    for (let row = 0; row < rows; row++) cells[row * targets.length + target] = column[first + row]!;
  }
  return cells;
}

function errorsOf(pass: Pass, known: readonly number[], maxErrorSteps: number) {
  const { forecast, actual, targets } = pass;
  const width = targets.length;
  const pick = (values: Float64Array): Float64Array =>
    Float64Array.from(
      { length: known.length * width },
      (_, at) => values[known[Math.floor(at / width)]! * width + (at % width)]!,
    );
  const [truth, predicted] = [pick(actual), pick(forecast.values)];
  const total = measure(truth, predicted, width);
  const each = targets.map((name, target) => {
    const column = (values: Float64Array) => values.filter((_, at) => at % width === target);
    return [name, measure(column(truth), column(predicted))] as const;
  });
  return {
    overlap_rows: known.length,
    mae_mean: total.mae,
    mse_mean: total.mse,
    rmse: total.rmse,
    mae: Object.fromEntries(each.map(([name, { mae }]) => [name, mae])),
    mse: Object.fromEntries(each.map(([name, { mse }]) => [name, mse])),
    step_mae: known.slice(0, maxErrorSteps).map((row, index) => {
      const at = (values: Float64Array) => values.subarray(index * width, (index + 1) * width);
      return { step: row + 1, mae: measure(at(truth), at(predicted)).mae };
    }),
    coverage: coverage(truth, pick(forecast.lower), pick(forecast.upper)),
    skill: skillOf(pass, known),
  };
}

/** 1 − rmse / rmse of persistence, over the cells whose predecessor has a value. */
function skillOf({ forecast, actual, before, targets }: Pass, known: readonly number[]): number | null {
  let own = 0;
  let rival = 0;
  for (const row of known)
    for (let at = row * targets.length; at < (row + 1) * targets.length; at++) {
      if (!Number.isFinite(before[at])) continue;
      own += (forecast.values[at]! - actual[at]!) ** 2;
      rival += (before[at]! - actual[at]!) ** 2;
    }
  return rival > 0 ? 1 - Math.sqrt(own / rival) : null;
}

/** The reference's five: the first, at a tenth, half and nine tenths, and the last; fewer of few rows. */
const samplePositions = (rows: number): readonly number[] => [
  ...new Set([0, 0.1, 0.5, 0.9].map((share) => Math.floor(rows * share)).concat(rows - 1)),
];

function sampleAt(
  { forecast, actual, targets }: Pass,
  row: number,
  maxColumns: number,
): Findings["samples"][number] {
  const shown = targets.slice(0, maxColumns).map((name, target) => ({
    name,
    pred: forecast.values[row * targets.length + target]!,
    actual: actual[row * targets.length + target]!,
  }));
  const known = shown.filter((each) => Number.isFinite(each.actual));
  return {
    step: row + 1,
    ts: formatTimestamp(forecast.timesMs[row]!, "T"),
    pred: Object.fromEntries(shown.map((each) => [each.name, each.pred])),
    actual: known.length === 0 ? null : Object.fromEntries(known.map((each) => [each.name, each.actual])),
    abs_err: Object.fromEntries(known.map((each) => [each.name, Math.abs(each.pred - each.actual)])),
  };
}
