import { readDocument } from "@flts/common/claim-check/documents";
import { type Candidate, candidate as candidateSchema } from "@flts/common/contracts/candidate";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";

/** Every result that a round has: a listing below the round, however many other rounds there are. */
export async function listCandidates(
  round: string,
  { store, promotionBucket: bucket }: { readonly store: ObjectStore; readonly promotionBucket: string },
): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for await (const { key } of store.list(bucket, keys.candidatesOf(round))) {
    const stored = await readDocument(store, { bucket, key }, candidateSchema, "POINTER_INVALID");
    if (stored !== null) candidates.push(stored.document);
  }
  return candidates;
}

/** How long a round may wait for what it lacks, and what becomes of it then. */
export interface Patience {
  readonly expectedFamilies: readonly string[];
  /** For a family without any result. */
  readonly missingWaitMs: number;
  /** For a family whose trainings all failed: somebody may start another. */
  readonly failedWaitMs: number;
}

export interface Completeness {
  /** Families with a model. */
  readonly have: readonly string[];
  /** Expected ones without any result. */
  readonly missing: readonly string[];
  /** Expected ones that only failed. */
  readonly failed: readonly string[];
  /** How long the round has to wait in all; 0 when there is nothing to wait for. */
  readonly waitMs: number;
}

/** What a round has and lacks. */
export function assessRound(
  candidates: readonly Candidate[],
  { expectedFamilies, missingWaitMs, failedWaitMs }: Patience,
): Completeness {
  const familiesThat = (status: Candidate["status"]) =>
    new Set(candidates.filter((one) => one.status === status).map(({ model_type }) => model_type));
  const have = familiesThat("SUCCESS");
  const lost = familiesThat("FAILED");
  const lacking = expectedFamilies.filter((family) => !have.has(family));
  const missing = lacking.filter((family) => !lost.has(family));
  const failed = lacking.filter((family) => lost.has(family));
  return {
    have: [...have],
    missing,
    failed,
    waitMs: Math.max(missing.length > 0 ? missingWaitMs : 0, failed.length > 0 ? failedWaitMs : 0),
  };
}
