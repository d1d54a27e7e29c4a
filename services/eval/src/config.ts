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
  /** How long a round waits for expected families that it has not heard of. */
  EXPECTED_MISSING_WAIT_MS: setting.int(3_600_000),
  /** How long it waits for expected families whose training failed: for as long as somebody may train them again. */
  EXPECTED_FAILED_WAIT_MS: setting.int(0),
  /** What becomes of it then: `go_on` with the models that came, `hold` the champion. */
  EXPECTED_INCOMPLETE: setting.choice(["go_on", "hold"], "go_on"),
  /** How often eval looks at waiting rounds, at pointers laid by hand, and after its champions. */
  SWEEP_INTERVAL_MS: setting.int(5_000, { min: 50 }),
  /** The bearer token of the routes that write; without one they answer 403. */
  PROMOTION_API_TOKEN: setting.text(""),
  /** `strict`: better than persistence and than the champion; `baseline`: better than persistence; `off`: best score wins, loudly. */
  PROMOTION_GATE: setting.choice(["strict", "baseline", "off"], "strict"),
  CLAIM_MAX_BYTES: setting.int(1024 ** 3, { min: 1 }),
  CLAIM_MISSING_GRACE_MS: setting.int(60_000),
  TOPIC_PARTITIONS: setting.int(4, { min: 1, max: 1_000 }),
};
