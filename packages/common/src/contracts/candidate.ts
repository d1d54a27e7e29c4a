import { z } from "zod";
import { MESSAGE_VERSION } from "./claim.ts";

/**
 * The one visible result of a training: a create-only object under its round, written by the trainer before it publishes. The event can
 * be made again from it at any time, so it is the truth and the event a hint.
 */
export const candidate = z.looseObject({
  v: z.literal(MESSAGE_VERSION).default(MESSAGE_VERSION),
  status: z.enum(["SUCCESS", "FAILED"]),
  model_type: z.string().min(1),
  experiment: z.string(),
  identifier: z.string(),
  config_hash: z.string(),
  round: z.string(),
  work_key: z.string(),
  /** Null when the training failed before a run began. */
  run_id: z.string().nullable(),
  /** Digest of the run's manifest; null for a failed training. */
  manifest_sha256: z.string().nullable(),
  /** The table it was trained on, so that eval scores on the same rows. */
  table: z.object({ bucket: z.string(), object: z.string(), size: z.number(), sha256: z.string() }),
  /** When the run began, milliseconds since 1970 UTC: the later one wins a tie. */
  started_at: z.number(),
  /** Seconds the training took, for people. */
  seconds: z.number().nonnegative(),
  /** Error code and reason of a failed training. */
  code: z.string().optional(),
  reason: z.string().optional(),
});
export type Candidate = z.infer<typeof candidate>;
