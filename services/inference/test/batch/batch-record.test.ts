import { loggedBatch } from "@flts/common/contracts/inference-log";
import { describe, expect, it } from "vitest";
import { findingsOf } from "../../src/batch/batch-record.ts";
import { START_MS, STEP_MS, tableFrom, tsOf } from "../live/lines.ts";

const options = {
  targets: ["down"],
  predictionHash: "0123456789abcdef",
  maxErrorSteps: 200,
  maxSampleColumns: 3,
};

/** A one-step pass over the last of the rows 0, 1, 2 …, with intervals of ±1. */
function passOf(values: readonly number[], rows: number) {
  const first = rows - values.length;
  return {
    timesMs: Float64Array.from(values, (_, row) => START_MS + (first + row) * STEP_MS),
    values: Float64Array.from(values),
    lower: Float64Array.from(values, (value) => value - 1),
    upper: Float64Array.from(values, (value) => value + 1),
  };
}

describe("findingsOf", () => {
  it("measures every row that was forecast, and has the reference's fields", () => {
    const { metrics } = findingsOf(tableFrom(0, [0, 10, 20, 30]), passOf([20, 22, 31], 4), options);
    expect(metrics).toEqual({
      overlap_rows: 3,
      mae_mean: 13 / 3,
      mse_mean: 35,
      rmse: Math.sqrt(35),
      mae: { down: 13 / 3 },
      mse: { down: 35 },
      step_mae: [
        { step: 1, mae: 10 },
        { step: 2, mae: 2 },
        { step: 3, mae: 1 },
      ],
      coverage: 1 / 3,
      skill: 1 - Math.sqrt(35 / 100),
      prediction_hash: "0123456789abcdef",
      rows_predicted: 3,
    });
  });

  it("lists as many steps, and shows as many columns, as it is told", () => {
    const found = findingsOf(tableFrom(0, [0, 10, 20]), passOf([10, 20], 3), {
      ...options,
      maxErrorSteps: 1,
      maxSampleColumns: 0,
    });
    expect(found.metrics).toMatchObject({ step_mae: [{ step: 1, mae: 0 }] });
    expect(found.samples[0]?.pred).toEqual({});
  });

  it("samples the first row, a tenth, half and nine tenths, and the last", () => {
    const rows = Array.from({ length: 101 }, (_, row) => row);
    const { samples } = findingsOf(tableFrom(0, rows), passOf(rows.slice(1), 101), options);
    expect(samples.map(({ step }) => step)).toEqual([1, 11, 51, 91, 100]);
    expect(samples[1]).toEqual({
      step: 11,
      ts: tsOf(11),
      pred: { down: 11 },
      actual: { down: 11 },
      abs_err: { down: 0 },
    });
  });

  it("samples a short table's rows once each", () => {
    const { samples } = findingsOf(tableFrom(0, [0, 10, 20]), passOf([10, 20], 3), options);
    expect(samples.map(({ step }) => step)).toEqual([1, 2]);
  });

  it("leaves out rows without a value; a sample of one has no actual value", () => {
    const { metrics, samples } = findingsOf(tableFrom(0, [0, Number.NaN, 20]), passOf([10, 21], 3), options);
    expect(metrics).toMatchObject({ overlap_rows: 1, mae_mean: 1, rows_predicted: 2, skill: null });
    expect(samples[0]).toMatchObject({ actual: null, abs_err: {} });
  });

  it("says why there is no error to tell", () => {
    const { metrics } = findingsOf(tableFrom(0, [0, Number.NaN]), passOf([10], 2), options);
    expect(metrics).toEqual({
      metrics_error: "no row that was forecast has all of its values",
      prediction_hash: "0123456789abcdef",
      rows_predicted: 1,
    });
  });

  it("means over several targets, each with its own error", () => {
    const table = tableFrom(0, [0, 10, 20]);
    const pass = {
      timesMs: table.timesMs.slice(1),
      values: Float64Array.of(12, 0, 22, 4),
      lower: new Float64Array(4),
      upper: new Float64Array(4).fill(100),
    };
    const { metrics, samples } = findingsOf(table, pass, { ...options, targets: ["down", "up"] });
    expect(metrics).toMatchObject({
      mae: { down: 2, up: 2 },
      mse: { down: 4, up: 8 },
      mae_mean: 2,
      mse_mean: 6,
    });
    expect(samples[0]).toMatchObject({ pred: { down: 12, up: 0 }, abs_err: { down: 2, up: 0 } });
  });

  it("fits the schema of the log's line", () => {
    const line = {
      operation: "Inference",
      status: "SUCCESS",
      timestamp: "2026-01-01T00:00:00.000Z",
      identifier: "default",
      run_id: "run-1",
      model_type: "LINEAR",
      config_hash: "config-1",
      epoch: 1,
      table: "0".repeat(64),
      ...findingsOf(tableFrom(0, [0, 10]), passOf([10], 2), options),
    };
    expect(loggedBatch.safeParse(line).success).toBe(true);
  });
});
