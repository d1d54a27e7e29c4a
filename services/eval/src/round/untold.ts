import { readDocument, writeDocument } from "@flts/common/claim-check/documents";
import { decision as decisionSchema } from "@flts/common/contracts/decision";
import { hasCode } from "@flts/common/contracts/errors";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { z } from "zod";

/** A decision, as a note of it names it. */
const note = decisionSchema.pick({ round: true, decision_id: true, attempt: true, identifier: true });
export type DecisionName = z.infer<typeof note>;

/**
 * The decisions that the run tracker was not told of yet, an object each: a tracker that is away for days, or an eval that dies, loses none. A decision is noted
 * before the event that asked for it is done, so that a crash before the note repeats it.
 */
export interface UntoldDecisions {
  note(decision: DecisionName): Promise<void>;
  /** One that cannot be understood keeps none behind it untold. */
  list(onUnreadable: (error: unknown) => void): AsyncIterable<DecisionName>;
  told(decision: DecisionName): Promise<void>;
}

export function createUntoldDecisions(store: ObjectStore, bucket: string): UntoldDecisions {
  const refOf = ({ decision_id, attempt }: DecisionName) => ({
    bucket,
    key: keys.untold(decision_id, attempt),
  });
  return {
    async note(decision) {
      try {
        await writeDocument(store, refOf(decision), note.parse(decision), { ifNoneMatch: "*" });
      } catch (error) {
        if (!hasCode(error, "OBJECT_CONFLICT")) throw error;
      }
    },
    async *list(onUnreadable) {
      for await (const { key } of store.list(bucket, keys.untoldDecisions)) {
        const stored = await readDocument(store, { bucket, key }, note, "POINTER_INVALID").catch(
          (error: unknown) => {
            if (!hasCode(error, "POINTER_INVALID")) throw error;
            onUnreadable(error);
            return null;
          },
        );
        if (stored !== null) yield stored.document;
      }
    },
    told: (decision) => store.remove(refOf(decision)),
  };
}
