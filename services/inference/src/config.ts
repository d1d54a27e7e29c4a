import { inferenceData, modelSelected } from "@flts/common/contracts/events";
import { buckets } from "@flts/common/contracts/layout";
import { setting } from "@flts/common/service/config";
import { httpSettings } from "@flts/common/service/http";

/** Inference's settings: the reference's names where it has them (behaviour §7.1). Process and backend settings are added in `main.ts`. */
export const inferenceSettings = {
  ...httpSettings,
  /** The replica's own station, whose champion answers unless a request names another; empty for the only one. */
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
  /** Room for the models of other stations, in bytes; the replica's own stays in any case. */
  MODEL_CACHE_BYTES: setting.int(512 * 1024 ** 2, { min: 0 }),
  /** Threads that compute forecasts, beside the one that speaks HTTP. */
  QUEUE_WORKERS: setting.int(1, { min: 1, max: 64 }),
  /** Windows in one call of a model. */
  PREDICT_MAX_BATCH: setting.int(64, { min: 1, max: 65_536 }),
  /** A request that would wait longer for the work of others is refused with 429. */
  PREDICT_MAX_WAIT_MS: setting.int(1_000, { min: 1 }),
  /** Requests in hand at once, whatever they cost; more are refused with 429. */
  QUEUE_MAXSIZE: setting.int(4_096, { min: 1 }),
  /** Seconds until a request is given up with 504; a request may ask for less. */
  INFERENCE_TIMEOUT: setting.number(30, { min: 0.001 }),
  /** A client that takes longer to send a request is refused. */
  SLOW_CLIENT_MS: setting.int(10_000, { min: 100 }),
  /** Whether answers are kept and given again to requests of the same content. */
  ENABLE_PREDICT_CACHE: setting.flag(false),
  PREDICT_CACHE_BYTES: setting.int(64 * 1024 ** 2, { min: 0 }),
  /** Whether `/publish_inference_claims` is there: it lets anybody make work. */
  ENABLE_PUBLISH_API: setting.flag(false),
  /** Where it publishes: inference's own topic of claims unless set. */
  PUBLISH_TOPIC: setting.text(inferenceData.name),
  /** Largest body of a request: some hundred thousand cells. */
  PREDICT_MAX_BYTES: setting.int(8 * 1024 ** 2, { min: 1_024 }),
  /** Largest body of a bulk request, and largest record batch in it. */
  BULK_MAX_BYTES: setting.int(256 * 1024 ** 2, { min: 1_024 }),
  BULK_MAX_BATCH_BYTES: setting.int(32 * 1024 ** 2, { min: 1_024 }),
  /** Rows of a bulk request: a million rows of eleven columns take 100 MB. */
  BULK_MAX_ROWS: setting.int(1_500_000, { min: 1 }),
  /** Bulk requests in hand at once; more are refused with 429. */
  BULK_MAX_REQUESTS: setting.int(1, { min: 1 }),
  /** A bulk request that takes longer is given up. */
  BULK_TIMEOUT_MS: setting.int(300_000, { min: 1 }),
  CLAIM_MAX_BYTES: setting.int(1024 ** 3, { min: 1 }),
  TOPIC_PARTITIONS: setting.int(4, { min: 1, max: 1_000 }),
};
