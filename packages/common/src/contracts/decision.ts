import { z } from "zod";
import { MESSAGE_VERSION } from "./claim.ts";
import { comparison, verdict } from "./promotion.ts";

/** Errors on scaled targets over the round's score rows. */
const errors = z.object({ rmse: z.number(), mae: z.number(), r2: z.number().nullable() });

export const scoreRow = z.looseObject({
  model_type: z.string(),
  run_id: z.string(),
  work_key: z.string(),
  manifest_sha256: z.string(),
  experiment: z.string(),
  rmse: z.number(),
  mae: z.number(),
  mse: z.number(),
  r2: z.number().nullable(),
  /** 0.5 rmse + 0.3 mae + 0.2 mse; the lowest wins. */
  score: z.number(),
  /** 1 − rmse / rmse of persistence: above 0 is better than the last value. */
  skill: z.number(),
  /** Seconds its training took. */
  seconds: z.number(),
  /** What the gate said of it alone, with its numbers. */
  verdict: verdict.optional(),
  versus_persistence: comparison.nullish(),
  versus_champion: comparison.nullish(),
  /** As in a promotion: what the model's version follows from. */
  feature_schema: z.string().optional(),
  settings_sha256: z.string().optional(),
});
export type ScoreRow = z.infer<typeof scoreRow>;

/**
 * What eval decided about the candidates of a round, written create-only before it acts. Everything after it (history, head, event) follows from
 * this document alone, so any eval can finish what another began.
 */
export const decision = z.looseObject({
  v: z.literal(MESSAGE_VERSION).default(MESSAGE_VERSION),
  /** Digest of the round and its candidates' work keys. */
  decision_id: z.string(),
  attempt: z.number().int().positive(),
  identifier: z.string(),
  config_hash: z.string(),
  round: z.string(),
  timestamp: z.string(),
  /** The table it was scored on, and how many rows of it. */
  table: z.object({ bucket: z.string(), object: z.string(), size: z.number(), sha256: z.string() }),
  rows: z.number().int().nonnegative(),
  /** Best first. */
  scoreboard: z.array(scoreRow),
  /** Null when there was nothing to score. */
  baselines: z.object({ persistence: errors, ewma: errors }).nullable(),
  /** Families whose training failed, with the reason. */
  failed: z.array(
    z.looseObject({
      model_type: z.string(),
      work_key: z.string().optional(),
      code: z.string(),
      reason: z.string(),
    }),
  ),
  /** Expected families that were waited for in vain. */
  missing: z.array(z.string()).default([]),
  /** Families for want of which the round was held, whatever the gate said. */
  held_for: z.array(z.string()).default([]),
  /** How much the gate asked for; the decision can be taken again from it and from the stored rows. */
  gate: z.enum(["strict", "baseline", "off"]).default("strict"),
  /** The head's epoch that the decision was taken against; 0 when there was none. */
  base_epoch: z.number().int().nonnegative(),
  champion: z.looseObject({ run_id: z.string(), model_type: z.string(), rmse: z.number() }).nullable(),
  verdict,
  /** The run it is about; null when there was none to score. Not always the best score: that one may have been rejected. */
  winner: z.string().nullable(),
  /** One sentence for people. */
  reason: z.string(),
  versus_persistence: comparison.nullable(),
  versus_champion: comparison.nullable(),
});
export type Decision = z.infer<typeof decision>;
