import { z } from "zod";
import { MESSAGE_VERSION } from "./claim.ts";

/**
 * The lines of an inference log. `operation` tells them apart: `Inference` is the reference's record of a batch forecast (behaviour §7.6),
 * `Forecast` a forecast that is kept until the truth comes, `Live error` what came of those before it.
 */
const lineFields = {
  /** ISO 8601, UTC. */
  timestamp: z.string(),
  v: z.literal(MESSAGE_VERSION).default(MESSAGE_VERSION),
  identifier: z.string(),
  /** Who wrote it. */
  replica: z.string().optional(),
};

const runFields = {
  run_id: z.string(),
  model_type: z.string(),
  config_hash: z.string(),
  epoch: z.number().int().positive(),
  status: z.literal("SUCCESS"),
};

const byTarget = z.record(z.string(), z.number());

/** A forecast whose truth is yet to come: an answer to a request, or the steps after a batch's last row. Raw units. */
export const loggedForecast = z.looseObject({
  ...lineFields,
  ...runFields,
  operation: z.literal("Forecast"),
  /** Of the answer; of a batch its prediction hash. */
  req_id: z.string(),
  /** Time of the last row known. Time stamps are zone-less, as in the tables. */
  origin: z.string(),
  /** Each target's last known value: the forecast of persistence. Null where history has none. */
  last: z.record(z.string(), z.number().nullable()),
  steps: z.array(z.object({ ts: z.string(), pred: byTarget, lower: byTarget, upper: byTarget })),
});
export type LoggedForecast = z.infer<typeof loggedForecast>;

/** How wrong forecasts of one target were over a number of rows. Raw units; each row counts once, however many forecasts it had. */
export const rollingError = z.object({
  rows: z.number().int().positive(),
  rmse: z.number(),
  mae: z.number(),
  /** Share of rows inside their 90 % interval. */
  coverage: z.number(),
  /** 1 − rmse / rmse of persistence from the same origins; null where that is 0 or unknown. */
  skill: z.number().nullable(),
});
export type RollingError = z.infer<typeof rollingError>;

export const loggedLiveError = z.looseObject({
  ...lineFields,
  operation: z.literal("Live error"),
  /** Digest of the table that brought the truth, and how many of its rows had been forecast. */
  table: z.string(),
  rows_scored: z.number().int().nonnegative(),
  targets: z.record(z.string(), rollingError),
  /** Population stability index of each input column; null where there are too few rows to say. */
  drift: z.record(z.string(), z.number().nullable()),
});
export type LoggedLiveError = z.infer<typeof loggedLiveError>;

const errors = z.union([
  z.object({
    /** Rows that were forecast and have all their values. */
    overlap_rows: z.number().int().positive(),
    mae_mean: z.number(),
    mse_mean: z.number(),
    rmse: z.number(),
    mae: byTarget,
    mse: byTarget,
    step_mae: z.array(z.object({ step: z.number().int().positive(), mae: z.number() })),
    coverage: z.number(),
    skill: z.number().nullable(),
  }),
  z.object({ metrics_error: z.string() }),
]);

/** One batch forecast: every row of a table, one step ahead of the rows before it. Raw units. */
export const loggedBatch = z.looseObject({
  ...lineFields,
  ...runFields,
  operation: z.literal("Inference"),
  /** Digest of the table. */
  table: z.string(),
  metrics: z.intersection(
    errors,
    z.object({ prediction_hash: z.string(), rows_predicted: z.number().int().nonnegative() }),
  ),
  samples: z.array(
    z.object({
      step: z.number().int().positive(),
      ts: z.string(),
      pred: byTarget,
      actual: byTarget.nullable(),
      abs_err: byTarget,
    }),
  ),
});
export type LoggedBatch = z.infer<typeof loggedBatch>;
