import type { StationEvaluation } from "@flts/families/evaluation/station";
import type { Standing } from "@flts/forecasting/evaluation/standing";

const errors = (nrmse: number | null, intervals = true) => ({
  nrmse,
  rmse: 2_000_000,
  mae: 1_000_000,
  r2: 0.5,
  coverage: intervals ? 0.9 : null,
  width: intervals ? 1.25 : null,
});

const standing = (name: string, down: number, up: number | null, intervals = true): Standing => ({
  name,
  ...errors(down, intervals),
  perTarget: { down: errors(down, intervals), up: errors(up, intervals) },
});

/** An evaluation of three forecasts, small enough to be read. */
export const smallEvaluation: StationEvaluation = {
  station: "North <1>",
  rows: { train: 1_000, test: 13 },
  best: "LINEAR",
  verdict: "cold_start",
  reason: "LINEAR: the first model of its station",
  families: [
    { ...standing("LINEAR", 0.5, null), seconds: 0.42 },
    { ...standing("GRU", 0.625, 0.75), seconds: 71 },
  ],
  baselines: [standing("persistence", 0.5625, 1, false)],
  failed: [{ family: "LSTM", code: "TRAINING_DIVERGED", message: "the loss is no number" }],
  pairs: [
    { a: "LINEAR", b: "GRU", difference: -0.125, low: -0.2, high: -0.05 },
    { a: "LINEAR", b: "persistence", difference: 0.01, low: -0.02, high: 0.04 },
  ],
  forecasts: {
    family: "LINEAR",
    timesMs: Float64Array.of(0, 120_000, 240_000),
    actual: Float64Array.of(1e8, 0, 2e8, 0, 3e8, 0),
    forecast: Float64Array.of(1.5e8, 0, 2e8, 0, 2e8, 0),
    lower: Float64Array.of(1e8, 0, 1e8, 0, 1e8, 0),
    upper: Float64Array.of(2e8, 0, 9e8, 0, 3e8, 0),
  },
};
