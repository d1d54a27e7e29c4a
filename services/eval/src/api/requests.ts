import { isStation } from "@flts/common/contracts/layout";
import { z } from "zod";

/** What eval's API takes. Unknown fields are faults: a misspelt `force` must not pass for none. */

const identifier = z
  .string()
  .refine(isStation, "must name a station")
  .default("")
  .describe("The station; empty for the default one");
const reason = z.string().trim().min(1, "must not be empty").max(1_000).describe("Why, in one sentence");
const actor = z.string().trim().min(1).max(200).default("api").describe("Who asks");
const force = z
  .boolean()
  .default(false)
  .describe("Override another feature schema, or the gate's rejection; recorded");
const runId = z.string().regex(/^[A-Za-z0-9_-]{1,100}$/, "must be the id of a run");

export const promoteBody = z.strictObject({ runId, reason, identifier, actor, force });
export const rollbackBody = z.strictObject({
  toEpoch: z
    .number()
    .int()
    .positive()
    .nullish()
    .describe("The epoch to go back to; the model before when not given"),
  reason,
  identifier,
  actor,
  force,
});

export const stationQuery = z.object({ identifier });
export const promotionsQuery = stationQuery.extend({
  limit: z.coerce.number().int().min(1).max(1_000).default(50).describe("The latest so many"),
});
export const roundParams = z.object({
  round: z.string().regex(/^[0-9a-f]{64}$/, "must be a round: 64 lower-case hexadecimal digits"),
});
export const versionParams = z.object({
  version: z
    .string()
    .regex(
      /^(\d+\.\d+\.\d+|champion|previous)$/,
      "must be a version such as 1.0.2, or champion, or previous",
    ),
});
