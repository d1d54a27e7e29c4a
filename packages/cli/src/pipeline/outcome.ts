import { readDocument } from "@flts/common/claim-check/documents";
import { type Decision, decision as decisionSchema } from "@flts/common/contracts/decision";
import { buckets, keys } from "@flts/common/contracts/layout";
import { type Promotion, promotion as promotionSchema } from "@flts/common/contracts/promotion";
import type { ObjectStore } from "@flts/common/ports/object-store";

/** What became of a round: the decision that stands, and the promotion it led to. */
export interface Outcome {
  readonly decision: Decision;
  /** Null when the gate let nothing pass. */
  readonly promotion: Promotion | null;
}

/** The trainings of a round that must have been weighed: work key by family, null for one that failed before it had any. */
export type Expected = ReadonlyMap<string, string | null>;

/**
 * The outcome of a round once eval has decided about every expected training, or null. A decision whose promotion lost its epoch to another
 * does not stand: its next attempt will.
 */
export async function findOutcome(
  store: ObjectStore,
  round: string,
  expected: Expected,
): Promise<Outcome | null> {
  const decisions = (await listDecisions(store, round)).filter((one) => covers(one, expected));
  for (const decision of decisions.toSorted(latestFirst)) {
    if (!promotes(decision)) return { decision, promotion: null };
    const promotion = await readPromotion(store, keys.history(decision.identifier, decision.base_epoch + 1));
    if (promotion?.promotion_id === `${decision.decision_id}:${decision.attempt}`)
      return { decision, promotion };
  }
  return null;
}

/** The head of a station: what is, or will in a moment be, served. */
export const readHead = (store: ObjectStore, identifier: string): Promise<Promotion | null> =>
  readPromotion(store, keys.head(identifier));

/** Whether a key of the promotion bucket is a station's head; the one at the root is a copy. */
export const isHead = (key: string): boolean => /^[^/]+\/current\.json$/.test(key);

/** Every decision ever taken about a round. */
export async function listDecisions(store: ObjectStore, round: string): Promise<readonly Decision[]> {
  const decisions: Decision[] = [];
  for await (const { key } of store.list(buckets.promotion, `decisions/${round}/`)) {
    const ref = { bucket: buckets.promotion, key };
    const stored = await readDocument(store, ref, decisionSchema, "POINTER_INVALID");
    if (stored !== null) decisions.push(stored.document);
  }
  return decisions;
}

async function readPromotion(store: ObjectStore, key: string): Promise<Promotion | null> {
  const ref = { bucket: buckets.promotion, key };
  return (await readDocument(store, ref, promotionSchema, "POINTER_INVALID"))?.document ?? null;
}

const promotes = ({ verdict }: Decision): boolean => verdict === "promoted" || verdict === "cold_start";

function covers({ scoreboard, failed }: Decision, expected: Expected): boolean {
  return [...expected].every(
    ([family, workKey]) =>
      scoreboard.some((row) => row.work_key === workKey) || failed.some((row) => row.model_type === family),
  );
}

/** A decision against a later champion is the later one; among attempts the last. */
const latestFirst = (a: Decision, b: Decision): number =>
  b.base_epoch - a.base_epoch || b.attempt - a.attempt || b.timestamp.localeCompare(a.timestamp);
