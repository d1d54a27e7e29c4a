import { inferenceData, performanceEval } from "@flts/common/contracts/events";
import { buckets } from "@flts/common/contracts/layout";
import { setting } from "@flts/common/service/config";
import type { z } from "zod";

/** Settings of batch forecasts and of live error: the reference's names where it has them (behaviour §7.1). */
export const batchSettings = {
  CONSUMER_TOPIC_0: setting.text(inferenceData.name),
  PRODUCER_TOPIC: setting.text(performanceEval.name),
  /** The group that all replicas share: each claim is forecast by one of them. */
  CONSUMER_GROUP_ID: setting.text("inference_group"),
  INFERENCE_LOG_BUCKET: setting.text(buckets.inferenceLogs),
  /** Forecasts are made and neither written down nor told of. */
  INFERENCE_DISABLE_LOG_UPLOAD: setting.flag(false),
  /** Steps after a table's last row that are forecast and kept for the truth. */
  INFERENCE_LENGTH: setting.int(10, { min: 1, max: 10_000 }),
  /** Steps whose error a record lists. */
  PREDICT_MAX_ERROR_STEPS: setting.int(200, { min: 0 }),
  /** Columns that the samples of a record show. */
  PREDICT_LOG_FEATURE_LIMIT: setting.int(3, { min: 1 }),
  /** The training table, which drift is measured against. */
  TRAIN_OBJECT_KEY: setting.text("processed_data.parquet"),
  /** How long a claim waits for its station's first model; then it is dead-lettered, and can be redriven. Longer than a round waits for its families. */
  MODEL_MISSING_GRACE_MS: setting.int(7_200_000, { min: 0 }),
  /** The share of answers to requests that is kept for the truth. */
  PREDICTION_LOG_RATE: setting.number(0, { min: 0, max: 1 }),
  /** Rows that live error looks back at: a day of two-minute rows. */
  LIVE_WINDOW_ROWS: setting.int(720, { min: 1, max: 100_000 }),
  /** How often a replica looks at what others found out. */
  LIVE_REFRESH_MS: setting.int(15_000, { min: 100 }),
};

/** These, and what they share with the rest of the service. */
export type BatchConfig = z.infer<z.ZodObject<typeof batchSettings>> & {
  readonly PROCESSED_BUCKET: string;
  readonly CLAIM_MAX_BYTES: number;
  readonly TOPIC_PARTITIONS: number;
};
