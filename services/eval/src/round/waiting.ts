import { readDocument, type StoredDocument, writeDocument } from "@flts/common/claim-check/documents";
import { MESSAGE_VERSION } from "@flts/common/contracts/claim";
import { hasCode } from "@flts/common/contracts/errors";
import { keys } from "@flts/common/contracts/layout";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { z } from "zod";

/**
 * The rounds that wait for models, one object each: what a sweep has to look at, also after a restart.
 *
 * How long a round has waited is counted in its object and not read off a wall clock, which may be set an hour forward or back: each sweep adds the time since
 * it last saw the very same object, by a clock that never jumps. Of several evals only one finds it unchanged, so no time is counted twice; a restart loses at most
 * the time since the last sweep.
 */
export const waitingRound = z.looseObject({
  v: z.literal(MESSAGE_VERSION).default(MESSAGE_VERSION),
  round: z.string(),
  identifier: z.string(),
  config_hash: z.string(),
  /** The families that it needs; which of them it still lacks is seen from its candidates. Documents of earlier releases have none. */
  expected: z.array(z.string()).default([]),
  waited_ms: z.number().nonnegative(),
  /** For people. */
  since: z.string(),
});
export type WaitingRound = z.infer<typeof waitingRound>;

export interface WaitingRoom {
  /** Makes a round wait, unless it does already. */
  enter(round: Pick<WaitingRound, "round" | "identifier" | "config_hash" | "expected">): Promise<void>;
  /** The round that waits, or null. */
  find(round: string): Promise<WaitingRound | null>;
  /** Every round that waits, with the time added that has gone by. One whose object cannot be understood keeps no other from being counted. */
  count(onUnreadable: (error: unknown) => void): Promise<readonly WaitingRound[]>;
  leave(round: string): Promise<void>;
}

export function createWaitingRoom(store: ObjectStore, bucket: string, clock: Clock): WaitingRoom {
  const refOf = (round: string) => ({ bucket, key: keys.waiting(round) });
  /** When this process first saw each object as it is: only saves time that would otherwise be waited twice. */
  const seen = new Map<string, { readonly etag: string; readonly atMs: number }>();

  const read = (round: string): Promise<StoredDocument<WaitingRound> | null> =>
    readDocument(store, refOf(round), waitingRound, "POINTER_INVALID");

  async function addTime({ document, etag }: StoredDocument<WaitingRound>): Promise<WaitingRound> {
    const { round } = document;
    const nowMs = clock.monotonicMs();
    const before = seen.get(round);
    if (before?.etag !== etag) {
      seen.set(round, { etag, atMs: nowMs });
      return document;
    }
    const later = { ...document, waited_ms: document.waited_ms + (nowMs - before.atMs) };
    try {
      const info = await writeDocument(store, refOf(round), later, { ifMatch: etag });
      seen.set(round, { etag: info.etag, atMs: nowMs });
      return later;
    } catch (error) {
      if (!hasCode(error, "OBJECT_CONFLICT")) throw error;
      return document; // Another eval has counted this time.
    }
  }

  return {
    async enter({ round, identifier, config_hash, expected }) {
      const entered: WaitingRound = {
        v: MESSAGE_VERSION,
        round,
        identifier,
        config_hash,
        expected: [...expected],
        waited_ms: 0,
        since: new Date(clock.now()).toISOString(),
      };
      try {
        await writeDocument(store, refOf(round), entered, { ifNoneMatch: "*" });
      } catch (error) {
        if (!hasCode(error, "OBJECT_CONFLICT")) throw error;
      }
    },
    find: async (round) => (await read(round))?.document ?? null,
    async count(onUnreadable) {
      const rounds: WaitingRound[] = [];
      for await (const { key } of store.list(bucket, keys.waitingRounds)) {
        try {
          const stored = await read(key.slice(keys.waitingRounds.length, -".json".length));
          if (stored !== null) rounds.push(await addTime(stored));
        } catch (error) {
          if (!hasCode(error, "POINTER_INVALID")) throw error;
          onUnreadable(error);
        }
      }
      for (const round of seen.keys()) if (!rounds.some((one) => one.round === round)) seen.delete(round);
      return rounds;
    },
    async leave(round) {
      await store.remove(refOf(round));
    },
  };
}
