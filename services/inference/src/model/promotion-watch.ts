import { readDocument } from "@flts/common/claim-check/documents";
import { hasCode } from "@flts/common/contracts/errors";
import { modelSelected } from "@flts/common/contracts/events";
import { keys } from "@flts/common/contracts/layout";
import { type Promotion, promotion as promotionSchema } from "@flts/common/contracts/promotion";
import type { Clock } from "@flts/common/ports/clock";
import type { MessageLog } from "@flts/common/ports/message-log";
import type { ObjectRef, ObjectStore } from "@flts/common/ports/object-store";
import type { Random } from "@flts/common/ports/random";
import type { Logger } from "@flts/common/service/logger";
import { type AttemptReport, type RunningStage, startStage } from "@flts/common/stage/runner";
import type { Stage } from "@flts/common/stage/stage";
import { backOff, defaultRetryPolicy } from "@flts/common/stage/verdict";

/**
 * Knows which promotion the head of a station names, and tells of every change.
 *
 * - W1 The head is the truth. Events are hints that it may have changed; its ETag is looked at all the time besides, so a lost event costs
 *   one interval.
 * - W2 Whenever the group was joined, the head is read after that: nothing falls between.
 * - W3 Each replica has a group of its own, and hears every promotion.
 * - W4 Neither a log nor a store that is down ends the watch.
 */
export interface PromotionWatch {
  /** Looks at the head now. */
  refresh(): Promise<void>;
  /** Whether the group is joined and alive, and whether the store answered last time. */
  health(): { readonly log: boolean; readonly store: boolean };
  stop(): Promise<void>;
}

export interface PromotionWatchDeps {
  readonly log: MessageLog;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly identifier: string;
  readonly bucket: string;
  readonly topic: string;
  /** This replica's own (W3). */
  readonly group: string;
  readonly pollMs: number;
  /** Makes the topic, where it is missing. */
  readonly ensureTopics: () => Promise<void>;
  readonly report: (attempt: AttemptReport) => void;
  readonly onPromotion: (promotion: Promotion) => void;
  /** Told each time the head could not be read. */
  readonly onUnreachable: () => void;
}

/** A group silent for longer has lost its log. */
const MAX_SILENCE_MS = 15_000;

export function watchPromotions(deps: PromotionWatchDeps): PromotionWatch {
  const { store, clock, random, logger, pollMs } = deps;
  const ref: ObjectRef = { bucket: deps.bucket, key: keys.head(deps.identifier) };
  const stopping = new AbortController();
  const { signal } = stopping;
  let nap = new AbortController();
  let woken = false;
  let stage: RunningStage | null = null;
  /** What the last look found, so that a state is logged once and not at every look. */
  let seen: string | null = null;
  let storeUp = false;

  const wake = (): void => {
    woken = true;
    nap.abort();
  };

  async function watchHead(): Promise<void> {
    while (!signal.aborted) {
      woken = false;
      await look();
      nap = new AbortController();
      if (!woken && !signal.aborted) await clock.sleep(pollMs, nap.signal);
    }
  }

  async function look(): Promise<void> {
    try {
      const info = await store.head(ref);
      if (info === null) noteAbsent();
      else if (info.etag !== seen) await readHead(info.etag);
      storeUp = true;
    } catch (error) {
      if (storeUp || seen === null)
        logger.error("promotion_pointer_fetch_fail", error, { object_key: ref.key });
      storeUp = false;
      seen ??= UNREACHED;
      deps.onUnreachable();
    }
  }

  function noteAbsent(): void {
    if (seen !== ABSENT) logger.info("promotion_manifest_absent", { object_key: ref.key });
    seen = ABSENT;
  }

  async function readHead(etag: string): Promise<void> {
    try {
      const stored = await readDocument(store, ref, promotionSchema, "POINTER_INVALID");
      if (stored === null) return noteAbsent();
      seen = stored.etag;
      const { config_hash, run_id, epoch } = stored.document;
      logger.info("promotion_manifest_loaded", { object_key: ref.key, config_hash, run_id, epoch });
      deps.onPromotion(stored.document);
    } catch (error) {
      if (!hasCode(error, "POINTER_INVALID")) throw error;
      // Laid by hand or by something newer: eval adopts it or replaces it, and until then the last good one is served.
      logger.error("promotion_pointer_fetch_fail", error, { object_key: ref.key });
      seen = etag;
    }
  }

  const hints: Stage<Promotion, null> = {
    name: "promotion-watch",
    consumes: { ...modelSelected, name: deps.topic },
    handle: async () => {
      wake();
      return [];
    },
  };

  /** Joins the group, and joins again whenever it was lost (W4). */
  async function listen(): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      const lost = Promise.withResolvers<unknown>();
      const leave = (): void => lost.resolve(null);
      try {
        await deps.ensureTopics();
        stage = await startStage(hints, {
          log: deps.log,
          deps: null,
          clock,
          random,
          policy: defaultRetryPolicy,
          group: deps.group,
          from: "latest",
          report: deps.report,
          onFatal: lost.resolve,
        });
        attempt = 1;
        wake(); // W2
        // The stop may have come while the group was joined: an aborted signal tells nobody again.
        if (signal.aborted) leave();
        signal.addEventListener("abort", leave, { once: true });
        const cause = await lost.promise;
        signal.removeEventListener("abort", leave);
        if (!signal.aborted) logger.error("promotion_watch_fail", cause, { group: deps.group });
        await stage.stop();
      } catch (error) {
        if (!signal.aborted) logger.error("promotion_watch_fail", error, { group: deps.group, attempt });
      } finally {
        stage = null;
      }
      await clock.sleep(backOff({ attempt, jitter: random.next() }, defaultRetryPolicy), signal);
    }
  }

  const loops = [watchHead(), listen()];
  return {
    refresh: look,
    health() {
      const group = stage?.health();
      return {
        log: group !== undefined && group.joined && group.lastPollAgoMs < MAX_SILENCE_MS,
        store: storeUp,
      };
    },
    async stop() {
      stopping.abort();
      wake();
      await Promise.all(loops);
      // Best effort: a group that stays behind holds nothing but offsets.
      await deps.log
        .removeGroup(deps.group)
        .catch((error: unknown) => logger.error("promotion_watch_fail", error, { group: deps.group }));
    },
  };
}

const ABSENT = "(absent)";
const UNREACHED = "(unreached)";
