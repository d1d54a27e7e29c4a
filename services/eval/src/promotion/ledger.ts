import { readDocument, writeDocument } from "@flts/common/claim-check/documents";
import { type Decision, decision as decisionSchema } from "@flts/common/contracts/decision";
import { FltsError, hasCode } from "@flts/common/contracts/errors";
import { DEFAULT_STATION, stationOf } from "@flts/common/contracts/identity";
import { keys } from "@flts/common/contracts/layout";
import { type Promotion, promotion as promotionSchema } from "@flts/common/contracts/promotion";
import { describeRef, type ObjectStore } from "@flts/common/ports/object-store";
import { createHistory, type History } from "./history.ts";
import { pointerDigest } from "./pointer-note.ts";
import { promotionOf, winnerOf } from "./promotion-of.ts";
import { versionFor } from "./version-for.ts";

/**
 * The book of promotions of every station. A promotion is made in steps, each of which any eval can repeat or finish for another:
 *
 * - L1 The decision is written, create-only, before anything follows from it; everything after it is a function of that
 *   document and of the history before it.
 * - L2 The history object of epoch n+1 is created once: of two promotions against epoch n only one gets it, and the other must decide again.
 * - L3 The head moves from epoch n to n+1 by compare-and-swap, and only to what the history says. Whoever finds a history entry beyond the head
 *   moves the head first: a promoter that died between the two is finished by the next one.
 * - L4 Nothing is ever overwritten but the head and its copy at the root, which only move forward.
 * - L5 What lies where a head should be and is not in the history was laid there by a person. It is an order: nobody moves a head over it before it was
 *   adopted or refused. Until then the last entry of the history is the champion.
 */
export interface Ledger extends History {
  /** The present champion's promotion, after finishing what was left unfinished; null before the first. */
  head(identifier: string): Promise<Promotion | null>;
  /** The same for readers, who finish nothing: nothing is written, and a pointer that waits for its adoption stays. */
  champion(identifier: string): Promise<Promotion | null>;
  /** The promotion that these bytes are a copy of; null when they are in no history: then a person wrote them. */
  recognise(identifier: string, bytes: Uint8Array): Promise<Promotion | null>;
  /** Writes the root's copy of a head anew where it is missing or behind. */
  repairCopy(promotion: Promotion): Promise<void>;
  /** The decision of an attempt, or null. */
  readDecision(round: string, decisionId: string, attempt: number): Promise<Decision | null>;
  /** Writes a decision down, or returns the one that was there first (L1). */
  recordDecision(decision: Decision): Promise<Decision>;
  /** Makes the promotion that a decision calls for. Null: another promotion took its epoch, decide again (L2). */
  promote(decision: Decision): Promise<Promotion | null>;
  /** Makes a promotion. Null: another one took its epoch (L2). */
  append(promotion: Promotion): Promise<Promotion | null>;
}

export function createLedger(store: ObjectStore, bucket: string): Ledger {
  const at = (key: string) => ({ bucket, key });
  const history = createHistory(store, bucket);
  const { entry } = history;

  async function recognise(identifier: string, bytes: Uint8Array): Promise<Promotion | null> {
    const parsed = promotionSchema.safeParse(parseJson(bytes));
    if (!parsed.success || stationOf(parsed.data.identifier) !== stationOf(identifier)) return null;
    const original = await entry(identifier, parsed.data.epoch);
    return original?.promotion_id === parsed.data.promotion_id ? original : null;
  }

  /** What lies at a head's place, or at the root's. */
  async function look(key: string, identifier: string): Promise<Place | null> {
    const stored = await store.get(at(key));
    if (stored === null) return null;
    const { etag, bytes } = stored;
    const promotion = await recognise(identifier, bytes);
    if (promotion !== null) return { etag, promotion, movable: true };
    const note = await store.head(at(keys.pointer(identifier, pointerDigest(key, bytes))));
    return { etag, promotion: null, movable: note !== null };
  }

  async function head(identifier: string): Promise<Promotion | null> {
    const present = (await look(keys.head(identifier), identifier))?.promotion ?? null;
    const next =
      present === null ? await history.last(identifier) : await entry(identifier, present.epoch + 1);
    if (next === null) return present;
    await advance(next);
    return present === null ? next : head(identifier);
  }

  async function champion(identifier: string): Promise<Promotion | null> {
    const present = (await look(keys.head(identifier), identifier))?.promotion;
    let latest = present ?? (await history.last(identifier));
    for (let next = latest; next !== null; next = await entry(identifier, next.epoch + 1)) latest = next;
    return latest;
  }

  /** Moves the head to a promotion of the history, if it is not there or beyond already (L3). */
  async function advance(to: Promotion): Promise<void> {
    const key = keys.head(to.identifier);
    for (;;) {
      const present = await look(key, to.identifier);
      const epoch = present?.promotion?.epoch ?? null;
      if (epoch !== null && epoch >= to.epoch) break;
      if (present?.movable === false) return; // L5
      if (epoch !== null && epoch < to.epoch - 1)
        throw new FltsError(
          "PROMOTION_CONFLICT",
          `head is at epoch ${epoch}, history at ${to.epoch}: ${describeRef(at(key))}`,
        );
      if (await replace(key, present, to)) break;
    }
    await repairCopy(to);
  }

  /** Keeps the copy where the reference's readers look; it never goes back (L4). */
  async function repairCopy(to: Promotion): Promise<void> {
    if (stationOf(to.identifier) !== DEFAULT_STATION) return;
    for (;;) {
      const present = await look(keys.rootHead, to.identifier);
      if (present?.movable === false || (present?.promotion?.epoch ?? 0) >= to.epoch) return;
      if (await replace(keys.rootHead, present, to)) return;
    }
  }

  const replace = (key: string, present: Place | null, to: Promotion): Promise<boolean> =>
    succeeds(
      writeDocument(store, at(key), to, present === null ? { ifNoneMatch: "*" } : { ifMatch: present.etag }),
    );

  async function readDecision(round: string, decisionId: string, attempt: number): Promise<Decision | null> {
    const ref = at(keys.decision(round, decisionId, attempt));
    return (await readDocument(store, ref, decisionSchema, "POINTER_INVALID"))?.document ?? null;
  }

  async function append(mine: Promotion): Promise<Promotion | null> {
    const key = keys.history(mine.identifier, mine.epoch);
    if (await succeeds(writeDocument(store, at(key), mine, { ifNoneMatch: "*" }))) {
      await advance(mine);
      return mine;
    }
    const first = await entry(mine.identifier, mine.epoch);
    if (first === null) throw goneAgain(key);
    await advance(first);
    return first.promotion_id === mine.promotion_id ? first : null;
  }

  const goneAgain = (key: string): FltsError =>
    new FltsError("OBJECT_CONFLICT", `created and gone again: ${describeRef(at(key))}`);

  return {
    ...history,
    head,
    champion,
    recognise,
    repairCopy,
    readDecision,
    append,

    async recordDecision(decided) {
      const { round, decision_id, attempt } = decided;
      const key = keys.decision(round, decision_id, attempt);
      if (await succeeds(writeDocument(store, at(key), decided, { ifNoneMatch: "*" }))) return decided;
      const first = await readDecision(round, decision_id, attempt);
      if (first === null) throw goneAgain(key);
      return first;
    },

    async promote(decided) {
      const { identifier, base_epoch: base } = decided;
      const winner = winnerOf(decided);
      const predecessor = base === 0 ? null : await entry(identifier, base);
      const version = await versionFor(winner.run_id, winner, predecessor, history);
      return append(promotionOf(decided, winner, version));
    },
  };
}

interface Place {
  readonly etag: string;
  /** Null when it is in no history. */
  readonly promotion: Promotion | null;
  /** Whether a head may be moved over it (L5). */
  readonly movable: boolean;
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
