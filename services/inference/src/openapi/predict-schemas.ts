import { z } from "zod";
import { TIMEOUT_HEADER } from "../predict/patience.ts";
import { MAX_STEPS } from "../predict/request.ts";

/**
 * What `/predict` takes and gives, for its description. Requests are read by hand (`predict/request.ts`, `predict/rows.ts`), because the reference's texts and
 * their order are promised; a test holds the two to each other.
 */

const steps = z.int().min(1).max(MAX_STEPS);

export const patienceHeader = z.object({
  [TIMEOUT_HEADER]: z.int().min(1).optional().describe("Milliseconds that the client waits for its answer"),
});

export const predictQuery = z.object({
  inference_length: steps.optional().describe("Wins over the body's"),
});

export const predictBody = z
  .looseObject({
    data: z
      .record(z.string(), z.array(z.union([z.number(), z.string(), z.null()])))
      .nullish()
      .describe("Columns of equal length; none, or none at all, to forecast the station's test table"),
    index_col: z.string().nullish().describe("The column of time stamps; else ts, timestamp, time or date"),
    inference_length: steps.nullish(),
    identifier: z
      .string()
      .nullish()
      .describe("The station whose champion answers; the replica's own when not said"),
    mode: z
      .enum(["forecast", "backtest"])
      .nullish()
      .describe("The steps after the last row, or the rows given, each one step ahead"),
  })
  .nullable();

const text = z.string();

export const predictAnswer = z.object({
  status: z.enum(["SUCCESS", "SUCCESS_CACHED"]),
  identifier: text,
  run_id: text,
  model_type: text,
  config_hash: text,
  epoch: z.int().positive(),
  model_version: text,
  mode: z.enum(["forecast", "backtest"]),
  req_id: text,
  cached: z.boolean(),
  imputed: z.int().nonnegative().describe("Cells that came without a value"),
  held_at_last_value: z
    .array(text)
    .describe("Columns that nobody forecasts, kept as they were for further steps"),
  predictions: z
    .array(z.object({ ts: text }).catchall(z.number().nullable()))
    .describe("A row per step: each target with its bounds <target>_lower and _upper, other columns null"),
});
