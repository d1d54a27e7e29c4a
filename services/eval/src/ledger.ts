import { readDocument, writeDocument } from "@flts/common/claim-check/documents";
import { MESSAGE_VERSION } from "@flts/common/contracts/claim";
import { type Decision, decision as decisionSchema } from "@flts/common/contracts/decision";
import { FltsError, hasCode } from "@flts/common/contracts/errors";
import { DEFAULT_STATION, stationOf } from "@flts/common/contracts/identity";
import { keys } from "@flts/common/contracts/layout";
import { type Promotion, promotion as promotionSchema, scoreWeights } from "@flts/common/contracts/promotion";
import { describeRef, type ObjectStore } from "@flts/common/ports/object-store";

/**
 * The book of promotions of one station. A promotion is made in steps, each of which any eval can repeat or finish for another:
 *
 * - L1 The decision is written, create-only, before anything follows from it; everything after it is a function of that document.
 * - L2 The history object of epoch n+1 is created once: of two promotions against epoch n only one gets it, and the other must decide again.
 * - L3 The head moves from epoch n to n+1 by compare-and-swap, and only to what the history says. Whoever finds a history entry beyond the head
 *   moves the head first: a promoter that died between the two is finished by the next one.
 * - L4 Nothing is ever overwritten but the head and its copy at the root, which only move forward.
 */
export interface Ledger {
  /** The present champion's promotion, after finishing what was left unfinished; null before the first. */
  head(identifier: string): Promise<Promotion | null>;
  /** The decision of an attempt, or null. */
  readDecision(round: string, decisionId: string, attempt: number): Promise<Decision | null>;
  /** Writes a decision down, or returns the one that was there first (L1). */
  recordDecision(decision: Decision): Promise<Decision>;
  /** Makes the promotion that a decision calls for. Null: another promotion took its epoch, decide again (L2). */
  promote(decision: Decision): Promise<Promotion | null>;
}

export function createLedger(store: ObjectStore, bucket: string): Ledger {
  const at = (key: string) => ({ bucket, key });
  const readPromotion = (key: string) => readDocument(store, at(key), promotionSchema, "POINTER_INVALID");

  async function head(identifier: string): Promise<Promotion | null> {
    const present = (await readPromotion(keys.head(identifier)))?.document ?? null;
    const next = await readPromotion(keys.history(identifier, (present?.epoch ?? 0) + 1));
    if (next === null) return present;
    await advance(next.document);
    return head(identifier);
  }

  /** Moves the head to a promotion of the history, if it is not there or beyond already (L3). */
  async function advance(to: Promotion): Promise<void> {
    const key = keys.head(to.identifier);
    for (;;) {
      const present = await readPromotion(key);
      const epoch = present?.document.epoch ?? 0;
      if (epoch >= to.epoch) break;
      if (epoch < to.epoch - 1)
        throw new FltsError(
          "PROMOTION_CONFLICT",
          `head is at epoch ${epoch}, history at ${to.epoch}: ${describeRef(at(key))}`,
        );
      const condition = present === null ? { ifNoneMatch: "*" as const } : { ifMatch: present.etag };
      if (await succeeds(writeDocument(store, at(key), to, condition))) break;
    }
    if (stationOf(to.identifier) === DEFAULT_STATION) await copyToRoot(to);
  }

  /** Keeps the copy where the reference's readers look; it never goes back (L4). */
  async function copyToRoot(to: Promotion): Promise<void> {
    for (;;) {
      const stored = await store.get(at(keys.rootHead));
      const present = stored === null ? null : promotionSchema.safeParse(parseJson(stored.bytes));
      if (present?.success === true && present.data.epoch >= to.epoch) return;
      const condition = stored === null ? { ifNoneMatch: "*" as const } : { ifMatch: stored.etag };
      if (await succeeds(writeDocument(store, at(keys.rootHead), to, condition))) return;
    }
  }

  async function readDecision(round: string, decisionId: string, attempt: number): Promise<Decision | null> {
    const ref = at(keys.decision(round, decisionId, attempt));
    return (await readDocument(store, ref, decisionSchema, "POINTER_INVALID"))?.document ?? null;
  }

  return {
    head,
    readDecision,

    async recordDecision(decided) {
      const { round, decision_id, attempt } = decided;
      const ref = at(keys.decision(round, decision_id, attempt));
      if (await succeeds(writeDocument(store, ref, decided, { ifNoneMatch: "*" }))) return decided;
      const first = await readDecision(round, decision_id, attempt);
      if (first === null)
        throw new FltsError("OBJECT_CONFLICT", `created and gone again: ${describeRef(ref)}`);
      return first;
    },

    async promote(decided) {
      const mine = promotionOf(decided);
      const key = keys.history(mine.identifier, mine.epoch);
      if (!(await succeeds(writeDocument(store, at(key), mine, { ifNoneMatch: "*" })))) {
        const first = await readPromotion(key);
        if (first === null)
          throw new FltsError("OBJECT_CONFLICT", `created and gone again: ${describeRef(at(key))}`);
        await advance(first.document);
        return first.document.promotion_id === mine.promotion_id ? first.document : null;
      }
      await advance(mine);
      return mine;
    },
  };
}

/** Whether a conditional write won; another failure is thrown. */
async function succeeds(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (hasCode(error, "OBJECT_CONFLICT")) return false;
    throw error;
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

/** The promotion that a decision calls for: a function of the decision alone (L1). */
export function promotionOf(decided: Decision): Promotion {
  const winner = decided.scoreboard.find(({ run_id }) => run_id === decided.winner);
  if (winner === undefined)
    throw new FltsError(
      "POINTER_INVALID",
      `decision ${decided.decision_id} promotes a run that it did not score`,
    );
  return {
    identifier: decided.identifier,
    config_hash: decided.config_hash,
    run_id: winner.run_id,
    model_type: winner.model_type,
    experiment: winner.experiment,
    model_uri: `runs:/${winner.run_id}/${winner.model_type}`,
    rmse: winner.rmse,
    mae: winner.mae,
    mse: winner.mse,
    score: winner.score,
    timestamp: decided.timestamp,
    weights: { ...scoreWeights },
    v: MESSAGE_VERSION,
    epoch: decided.base_epoch + 1,
    promotion_id: `${decided.decision_id}:${decided.attempt}`,
    source: "gate",
    verdict: decided.verdict,
    round: decided.round,
    work_key: winner.work_key,
    manifest_sha256: winner.manifest_sha256,
    previous_epoch: decided.base_epoch === 0 ? null : decided.base_epoch,
  };
}
