import { z } from "zod";
import { MESSAGE_VERSION } from "./claim.ts";

/** What the gate said of a challenger. */
export const verdict = z.enum(["promoted", "held", "rejected", "cold_start"]);

/** A difference of mean losses and its 90 % interval by paired moving-block bootstrap; negative: the challenger is better. */
export const comparison = z.looseObject({
  difference: z.number(),
  low: z.number(),
  high: z.number(),
});
export type Comparison = z.infer<typeof comparison>;

export const scoreWeights = { rmse: 0.5, mae: 0.3, mse: 0.2 } as const;

/**
 * One promotion: the history object, the head and the `model-selected` event are this same document. Its first twelve fields are the
 * reference's (behaviour §6.4); errors are on scaled targets over the round's score rows.
 */
export const promotion = z.looseObject({
  identifier: z.string(),
  config_hash: z.string(),
  run_id: z.string().min(1),
  model_type: z.string().min(1),
  experiment: z.string(),
  /** `runs:/<run_id>/<model_type>` */
  model_uri: z.string(),
  rmse: z.number(),
  mae: z.number(),
  mse: z.number(),
  score: z.number(),
  /** ISO 8601, UTC. A label: epochs order promotions, not clocks. */
  timestamp: z.string(),
  weights: z.object({ rmse: z.number(), mae: z.number(), mse: z.number() }),

  v: z.literal(MESSAGE_VERSION).default(MESSAGE_VERSION),
  /** 1, 2, 3 … for each station, without gaps. */
  epoch: z.number().int().positive(),
  /** Equal for two promotions only if they are the same one. */
  promotion_id: z.string(),
  /** Who decided: the gate, or a person. */
  source: z.enum(["gate", "manual"]).default("gate"),
  verdict: verdict.default("promoted"),
  round: z.string(),
  work_key: z.string(),
  /** Digest of the run's manifest, which holds the digest of each of its files. */
  manifest_sha256: z.string(),
  /** The promotion this one replaced; null for the first. */
  previous_epoch: z.number().int().positive().nullable(),

  /** The model's version in its station, `major.minor.patch`; a model that is promoted again keeps its own. Documents of earlier releases have none. */
  version: z.string().optional(),
  /** The highest version given so far, so that none is given twice. */
  highest_version: z.string().optional(),
  /** Digest of the columns of the table a model was trained on, and of the targets it forecasts. */
  feature_schema: z.string().optional(),
  /** Digest of the settings it was trained with. */
  settings_sha256: z.string().optional(),
  /** One sentence for people: what the gate said, or why a person did it. */
  reason: z.string().optional(),
  /** The gate's numbers; none where a person decided. */
  gate: z
    .looseObject({
      mode: z.string(),
      rows: z.number().int().nonnegative(),
      skill: z.number(),
      versus_persistence: comparison.nullable(),
      versus_champion: comparison.nullable(),
    })
    .optional(),
  /** Who asked for it by hand. */
  actor: z.string().optional(),
  /** Objections that the person overrode, each a sentence; a list means that it was forced. */
  overridden: z.array(z.string()).optional(),
  /** The epoch that a rollback went back to. */
  restored_epoch: z.number().int().positive().optional(),
  /** The pointer laid by hand that was adopted: where it lay, and the digest of its bytes. */
  adopted: z.looseObject({ object: z.string(), sha256: z.string() }).optional(),
});
export type Promotion = z.infer<typeof promotion>;
