import { readDocument } from "@flts/common/claim-check/documents";
import { candidate as candidateSchema } from "@flts/common/contracts/candidate";
import { decision as decisionSchema } from "@flts/common/contracts/decision";
import { modelTraining } from "@flts/common/contracts/events";
import { keys } from "@flts/common/contracts/layout";
import { emit, parseEvent } from "@flts/common/contracts/topic";
import type { Ledgers } from "@flts/common/housekeeping/reconcile";
import type { MessageLog } from "@flts/common/ports/message-log";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { outcomeEvent } from "./candidate.ts";

export interface CandidateLedgersDeps {
  readonly store: ObjectStore;
  readonly log: MessageLog;
  readonly promotionBucket: string;
  /** The trainer's own: other families' candidates are their trainers' affair. */
  readonly family: string;
}

/** A family's candidates, and the events that told of them. A candidate that eval has decided about is served without one. */
export function candidateLedgers({ store, log, promotionBucket, family }: CandidateLedgersDeps): Ledgers {
  const read = <T>(key: string, schema: Parameters<typeof readDocument<T>>[2]) =>
    readDocument(store, { bucket: promotionBucket, key }, schema, "POINTER_INVALID");
  return {
    async *markers() {
      for await (const { key } of store.list(promotionBucket, keys.candidates)) {
        if (key.split("/")[2] !== family) continue;
        const candidate = (await read(key, candidateSchema))?.document;
        if (candidate === undefined) continue;
        const { round, work_key } = candidate;
        yield {
          id: work_key,
          emissions: [emit(modelTraining, outcomeEvent(candidate))],
          isServed: () => isDecided(round, work_key),
        };
      }
    },
    async announced() {
      const workKeys = new Set<string>();
      for await (const { value } of log.browse(modelTraining.name)) {
        const event = readEvent(value);
        if (event !== null && event.status !== "RUNNING") workKeys.add(event.work_key);
      }
      return workKeys;
    },
  };

  async function isDecided(round: string, workKey: string): Promise<boolean> {
    for await (const { key } of store.list(promotionBucket, keys.decisionsAbout(round))) {
      const decision = (await read(key, decisionSchema))?.document;
      if (decision?.scoreboard.some(({ work_key }) => work_key === workKey) === true) return true;
      if (decision?.failed.some(({ model_type }) => model_type === family) === true) return true;
    }
    return false;
  }
}

/** What is no event tells of no candidate. */
function readEvent(value: Uint8Array) {
  try {
    return parseEvent(modelTraining, value);
  } catch {
    return null;
  }
}
