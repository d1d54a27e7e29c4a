import { hasCode } from "@flts/common/contracts/errors";
import { keys } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectRef, ObjectStore } from "@flts/common/ports/object-store";
import type { Logger } from "@flts/common/service/logger";
import type { Promotions } from "./promotions.ts";

/**
 * Knows which promotion the head of a station names, and tells of every change.
 *
 * - W1 The head is the truth. Events are hints that it may have changed; its ETag is looked at all the time besides, so a lost event costs
 *   one interval.
 * - W2 A store that is down does not end the watch.
 * - W3 Only what the history holds is a promotion. What a person laid in the head's place is not served before eval has adopted it: until then the last entry of the
 *   history is the champion.
 */
export interface HeadWatch {
  /** What the first look found. */
  readonly first: Promise<HeadState>;
  /** Looks at the head soon: there was a hint. */
  wake(): void;
  /** Looks at the head now. */
  refresh(): Promise<HeadState>;
  /** Whether the store answered last time. */
  isReachable(): boolean;
  stop(): Promise<void>;
}

/** A promotion (or something that is none), nothing, or a store that does not answer. */
export type HeadState = "present" | "absent" | "unreachable";

export interface HeadWatchDeps {
  readonly store: ObjectStore;
  readonly promotions: Promotions;
  readonly clock: Clock;
  readonly log: Logger;
  readonly identifier: string;
  readonly bucket: string;
  readonly pollMs: number;
  readonly onPromotion: (promotion: Promotion) => void;
  /** Told each time the head could not be read. */
  readonly onUnreachable: () => void;
}

export function watchHead({ store, promotions, clock, log, pollMs, ...deps }: HeadWatchDeps): HeadWatch {
  const ref: ObjectRef = { bucket: deps.bucket, key: keys.head(deps.identifier) };
  const stopping = new AbortController();
  let nap = new AbortController();
  let woken = false;
  /** What the last look found, so that a state is logged once and not at every look. */
  let seen: string | null = null;
  let reachable = false;

  const wake = (): void => {
    woken = true;
    nap.abort();
  };

  async function watch(): Promise<void> {
    await first;
    while (!stopping.signal.aborted) {
      nap = new AbortController();
      if (!woken) await clock.sleep(pollMs, nap.signal);
      woken = false;
      if (!stopping.signal.aborted) await look();
    }
  }

  async function look(): Promise<HeadState> {
    try {
      const info = await store.head(ref);
      reachable = true;
      if (info === null) return noteAbsent();
      if (info.etag !== seen) return await readHead(info.etag);
      return "present";
    } catch (error) {
      if (reachable || seen === null)
        log.error("promotion_pointer_fetch_fail", error, { object_key: ref.key });
      reachable = false;
      seen ??= UNREACHED;
      deps.onUnreachable();
      return "unreachable";
    }
  }

  function noteAbsent(): HeadState {
    if (seen !== ABSENT) log.info("promotion_manifest_absent", { object_key: ref.key });
    seen = ABSENT;
    return "absent";
  }

  async function readHead(etag: string): Promise<HeadState> {
    try {
      const head = await promotions.head();
      if (head === null) return noteAbsent();
      seen = head.etag;
      const { config_hash, run_id, epoch } = head.promotion;
      log.info("promotion_manifest_loaded", { object_key: ref.key, config_hash, run_id, epoch });
      deps.onPromotion(head.promotion);
    } catch (error) {
      if (!hasCode(error, "POINTER_INVALID")) throw error;
      log.error("promotion_pointer_fetch_fail", error, { object_key: ref.key });
      const champion = await promotions.last(); // W3
      seen = etag;
      if (champion !== null) deps.onPromotion(champion);
    }
    return "present";
  }

  const first = look();
  const watching = watch();
  return {
    first,
    wake,
    refresh: look,
    isReachable: () => reachable,
    async stop() {
      stopping.abort();
      wake();
      await watching;
    },
  };
}

const ABSENT = "(absent)";
const UNREACHED = "(unreached)";
