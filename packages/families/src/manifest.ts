import { MESSAGE_VERSION } from "@flts/common/contracts/claim";
import { scalingSchema } from "@flts/common/scaler/scaling";
import { intervalsSchema } from "@flts/forecasting/evaluation/intervals";
import { z } from "zod";

/** What one needs to know of a model to feed it and to read its answers. */
const modelDescription = z.object({
  /** Columns of a window, in order. */
  columns: z.array(z.string()).min(1),
  /** Columns that are forecast, in order. */
  targets: z.array(z.string()).min(1),
  /** Rows of history that one forecast needs. */
  window: z.number().int().positive(),
  /** Steps that one call forecasts. */
  horizon: z.number().int().positive(),
  /** The sampling step it was trained on. */
  step_ms: z.number().positive(),
});
export type ModelDescription = z.infer<typeof modelDescription>;

/** Where a model comes from. */
export const provenance = z.object({
  round: z.string(),
  work_key: z.string(),
  config_hash: z.string(),
  identifier: z.string(),
  table: z.object({ bucket: z.string(), object: z.string(), size: z.number(), sha256: z.string() }),
  code_version: z.string(),
});
export type Provenance = z.infer<typeof provenance>;

const rows = z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]);

/**
 * `<FAMILY>/manifest.json`: everything about a model but its weights, and the digest of each of its files. It is written last, so a model with a manifest is
 * complete; a promotion carries the manifest's digest, so what is served is what was scored.
 */
export const manifest = modelDescription.extend(provenance.shape).extend({
  v: z.literal(MESSAGE_VERSION),
  family: z.string(),
  settings: z.record(z.string(), z.unknown()),
  scaling: scalingSchema,
  /** Row ranges of the train table, end excluded. */
  rows: z.object({ fit: rows, stop: rows, calibrate: rows, score: rows }),
  /** Time stamps of the first and last row, and of the last one that weights or early stopping saw; milliseconds. */
  data: z.object({ from_ms: z.number(), to_ms: z.number(), trained_until_ms: z.number() }),
  intervals: intervalsSchema,
  /** On scaled targets over the score rows, one step ahead. */
  scores: z.object({ rmse: z.number(), mae: z.number(), mse: z.number(), r2: z.number().nullable() }),
  /** A window and what the model answered to it when it was made, for whoever loads it. */
  self_test: z.object({
    window: z.array(z.number().nullable()),
    end_time_ms: z.number(),
    forecast: z.array(z.number()),
  }),
  files: z.record(z.string(), z.object({ sha256: z.string(), size: z.number().int().nonnegative() })),
});
export type Manifest = z.infer<typeof manifest>;
