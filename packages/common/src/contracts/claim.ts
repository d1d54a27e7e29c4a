import { z } from "zod";
import { isStation } from "./layout.ts";

/** The reference's message version; fields have been added since, none has changed its meaning. */
export const MESSAGE_VERSION = 1 as const;

const digest = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hexadecimal digits");

/** A reference to bytes in the object store: what travels through the log instead of the bytes. */
export const claim = z.looseObject({
  bucket: z.string().min(1).max(63),
  object: z.string().min(1).max(1024),
  /** Bytes of the object. */
  size: z.number().int().nonnegative(),
  /** Digest of the object's bytes; the reference's claims have none. */
  sha256: digest.optional(),
});
export type Claim = z.infer<typeof claim>;

const roundFields = {
  v: z.literal(MESSAGE_VERSION).default(MESSAGE_VERSION),
  config_hash: z.string().max(200).default(""),
  /** Becomes part of keys: one that cannot is refused here, before anybody has worked on it. */
  identifier: z.string().refine(isStation, "must name a station").default(""),
  /** The round of design §2; the reference's claims have none. */
  round: digest.optional(),
};

/** Asks every trainer to fit its family to a table. The reference also wrote `object_key`, or an `operation`. */
export const trainingClaim = z.preprocess(
  preferObject,
  claim.extend({ ...roundFields, operation: z.literal("post: train data").nullish() }),
);
export type TrainingClaim = z.infer<typeof trainingClaim>;

/** Brings the test table, the truth against which forecasts are held. */
export const inferenceClaim = z.preprocess(
  preferObject,
  claim.extend({
    ...roundFields,
    object_key: z.string().optional(),
    operation: z.literal("post: test data").nullish(),
  }),
);

function preferObject(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const message: Record<string, unknown> = { ...value };
  message["object"] ??= message["object_key"];
  return message;
}
