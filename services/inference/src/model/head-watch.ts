import { readDocument } from "@flts/common/claim-check/documents";
import { hasCode } from "@flts/common/contracts/errors";
import { keys } from "@flts/common/contracts/layout";
import { type Promotion, promotion as promotionSchema } from "@flts/common/contracts/promotion";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectRef, ObjectStore } from "@flts/common/ports/object-store";
import type { Logger } from "@flts/common/service/logger";

/**
 * Knows which promotion the head of a station names, and tells of every change.
 *
 * - W1 The head is the truth. Events are hints that it may have changed; its ETag is looked at all the time besides, so a lost event costs
 *   one interval.
 * - W2 A store that is down does not end the watch.
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
  readonly clock: Clock;
  readonly log: Logger;
  readonly identifier: string;
  readonly bucket: string;
  readonly pollMs: number;
  readonly onPromotion: (promotion: Promotion) => void;
  /** Told each time the head could not be read. */
  readonly onUnreachable: () => void;
}

export function watchHead({ store, clock, log, pollMs, ...deps }: HeadWatchDeps): HeadWatch {
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
      const stored = await readDocument(store, ref, promotionSchema, "POINTER_INVALID");
      if (stored === null) return noteAbsent();
      seen = stored.etag;
      const { config_hash, run_id, epoch } = stored.document;
      log.info("promotion_manifest_loaded", { object_key: ref.key, config_hash, run_id, epoch });
      deps.onPromotion(stored.document);
    } catch (error) {
      if (!hasCode(error, "POINTER_INVALID")) throw error;
      // Laid by hand or by something newer: eval adopts it or replaces it, and until then the last good one is served.
      log.error("promotion_pointer_fetch_fail", error, { object_key: ref.key });
      seen = etag;
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
