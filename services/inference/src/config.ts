import { modelSelected } from "@flts/common/contracts/events";
import { buckets } from "@flts/common/contracts/layout";
import { setting } from "@flts/common/service/config";
import { httpSettings } from "@flts/common/service/http";

/** Inference's settings: the reference's names where it has them (behaviour §7.1). Process and backend settings are added in `main.ts`. */
export const inferenceSettings = {
  ...httpSettings,
  /** The station whose champion is served; empty for the only one. */
  IDENTIFIER: setting.text(""),
  PROMOTION_BUCKET: setting.text(buckets.promotion),
  PROMOTION_TOPIC: setting.text(modelSelected.name),
  PROCESSED_BUCKET: setting.text(buckets.processed),
  /** The table that is forecast when a request brings no rows. */
  TEST_OBJECT_KEY: setting.text("test_processed_data.parquet"),
  /** Whether that table is kept at hand. */
  INFERENCE_PRELOAD_TEST: setting.flag(true),
  /** Names this replica's consumer group; the host's name when not set. */
  POD_NAME: setting.text(""),
  /** How often the head is looked at, whatever was heard of it. */
  HEAD_POLL_MS: setting.int(1_000, { min: 10, max: 60_000 }),
  /** Where the champion is kept for a start without store; a folder in `FLTS_HOME` when not set. */
  MODEL_CACHE_DIR: setting.text(""),
  /** Requests waited for and worked on at once; more are refused with 429. */
  QUEUE_MAXSIZE: setting.int(256, { min: 1 }),
  /** Forecasts computed at once. */
  PREDICT_MAX_CONCURRENCY: setting.int(4, { min: 1, max: 1_024 }),
  /** Largest body of a request: some hundred thousand cells. */
  PREDICT_MAX_BYTES: setting.int(8 * 1024 ** 2, { min: 1_024 }),
  CLAIM_MAX_BYTES: setting.int(1024 ** 3, { min: 1 }),
  TOPIC_PARTITIONS: setting.int(4, { min: 1, max: 1_000 }),
};
