import { setting } from "@flts/common/service/config";
import { httpSettings } from "@flts/common/service/http";
import { familyNames } from "@flts/families/registry";

/** Eval's settings: the reference's names and defaults (behaviour §6.1). */
export const evalSettings = {
  ...httpSettings,
  PORT: setting.port(8050),
  MODEL_TRAINING_TOPIC: setting.text("model-training"),
  MODEL_SELECTED_TOPIC: setting.text("model-selected"),
  EVAL_GROUP_ID: setting.text("eval-promoter"),
  PROMOTION_BUCKET: setting.text("model-promotion"),
  PROCESSED_BUCKET: setting.text("processed-data"),
  /** Families a round must have heard of, successful or failed, before it is decided. */
  EXPECTED_MODEL_TYPES: setting.list(familyNames),
  /** `strict`: better than persistence and than the champion; `baseline`: better than persistence; `off`: best score wins, loudly. */
  PROMOTION_GATE: setting.choice(["strict", "baseline", "off"], "strict"),
  CLAIM_MAX_BYTES: setting.int(1024 ** 3, { min: 1 }),
  CLAIM_MISSING_GRACE_MS: setting.int(60_000),
  TOPIC_PARTITIONS: setting.int(4, { min: 1, max: 1_000 }),
};
