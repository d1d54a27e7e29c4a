import type { Candidate } from "../../src/contracts/candidate.ts";
import type { Decision } from "../../src/contracts/decision.ts";
import type { Promotion } from "../../src/contracts/promotion.ts";

/** Complete, valid documents for tests to vary. */

const table = { bucket: "processed-data", object: "o.parquet", size: 7, sha256: "a".repeat(64) };

export const promotionOfEpoch = (epoch: number): Promotion => ({
  identifier: "ElBorn",
  config_hash: "c",
  run_id: "7",
  model_type: "LSTM",
  experiment: "FLTS",
  model_uri: "runs:/7/LSTM",
  rmse: 0.3,
  mae: 0.2,
  mse: 0.09,
  score: 0.228,
  timestamp: "2026-01-01T00:00:00.000Z",
  weights: { rmse: 0.5, mae: 0.3, mse: 0.2 },
  v: 1,
  epoch,
  promotion_id: `d:${epoch}`,
  source: "gate",
  verdict: epoch === 1 ? "cold_start" : "promoted",
  round: "r",
  work_key: "w",
  manifest_sha256: "m",
  previous_epoch: epoch === 1 ? null : epoch - 1,
});

export const candidateDocument: Candidate = {
  v: 1,
  status: "SUCCESS",
  model_type: "LSTM",
  experiment: "FLTS",
  identifier: "ElBorn",
  config_hash: "c",
  round: "r",
  work_key: "w",
  run_id: "7",
  manifest_sha256: "m",
  table,
  started_at: 1_767_225_600_000,
  seconds: 12.5,
};

export const decisionDocument: Decision = {
  v: 1,
  decision_id: "d",
  attempt: 1,
  identifier: "ElBorn",
  config_hash: "c",
  round: "r",
  timestamp: "2026-01-01T00:00:00.000Z",
  table,
  rows: 1_500,
  missing: [],
  held_for: [],
  gate: "strict",
  scoreboard: [
    {
      model_type: "LSTM",
      run_id: "7",
      work_key: "w",
      manifest_sha256: "m",
      experiment: "FLTS",
      rmse: 0.3,
      mae: 0.2,
      mse: 0.09,
      r2: 0.6,
      score: 0.228,
      skill: 0.1,
      seconds: 12.5,
    },
  ],
  baselines: { persistence: { rmse: 0.33, mae: 0.21, r2: 0.5 }, ewma: { rmse: 0.32, mae: 0.2, r2: null } },
  failed: [{ model_type: "GRU", code: "TRAINING_DIVERGED", reason: "the loss is NaN" }],
  base_epoch: 0,
  champion: null,
  verdict: "cold_start",
  winner: "7",
  reason: "first model of the station",
  versus_persistence: { difference: -0.01, low: -0.02, high: -0.005 },
  versus_champion: null,
};
