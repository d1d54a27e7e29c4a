import { setting } from "@flts/common/service/config";
import { families, familyNames } from "@flts/families/registry";
import { z } from "zod";

/** The trainer's settings: the reference's names and defaults (behaviour §1.2, §5.1), and every family's own. */
export const trainSettings = {
  MODEL_TYPE: z
    .string("must be set")
    .toUpperCase()
    .pipe(z.enum(familyNames, `must be one of ${familyNames.join(", ")}`)),
  /** Where claims come from; a family that combines models listens to their trainers instead. */
  CONSUMER_TOPIC: setting.text("training-data"),
  /** Families whose models are awaited before they are combined: those that eval expects. */
  EXPECTED_MODEL_TYPES: setting.list(familyNames),
  /** Default: `train-<model type>`, so that every family hears every claim. */
  CONSUMER_GROUP_ID: setting.text(""),
  /** Columns to forecast. */
  TARGETS: setting.list(["down"]),
  /** Trainings at once. A second one would take the first one's core. */
  TRAIN_CONCURRENCY: setting.int(1, { min: 1, max: 64 }),
  /** Attempts at a training whose process dies. */
  FAILURE_MAX_RETRIES: setting.int(3, { min: 1, max: 100 }),
  /** A training process that is silent this long is ended and tried again. */
  TRAIN_SILENCE_TIMEOUT_MS: setting.int(120_000, { min: 1_000 }),
  /** A training process that holds more memory is ended. */
  TRAIN_MEMORY_MAX_BYTES: setting.int(1024 ** 3, { min: 64 * 1024 ** 2 }),
  /** A trainer that shows no sign of life for so long loses its work to another. */
  TRAIN_LEASE_MS: setting.int(10_000, { min: 500 }),
  /** Between two looks for candidates that nobody was told of. */
  RECONCILE_INTERVAL_MS: setting.int(600_000, { min: 1_000 }),
  /** Largest table that is read. */
  CLAIM_MAX_BYTES: setting.int(1024 ** 3, { min: 1 }),
  CLAIM_MISSING_GRACE_MS: setting.int(60_000),
  PROCESSED_BUCKET: setting.text("processed-data"),
  PROMOTION_BUCKET: setting.text("model-promotion"),
  /** Another value trains the same thing once more. */
  RETRAIN_NONCE: setting.text(""),
  TOPIC_PARTITIONS: setting.int(4, { min: 1, max: 1_000 }),
};

/** Every family's own settings. They differ from family to family, so their types are the families' affair. */
export const familySettings: object = Object.assign({}, ...families.map(({ settings }) => settings));
