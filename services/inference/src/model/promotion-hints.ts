import { modelSelected } from "@flts/common/contracts/events";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { Clock } from "@flts/common/ports/clock";
import type { MessageLog } from "@flts/common/ports/message-log";
import type { Random } from "@flts/common/ports/random";
import type { Logger } from "@flts/common/service/logger";
import { type AttemptReport, type RunningStage, startStage } from "@flts/common/stage/runner";
import type { Stage } from "@flts/common/stage/stage";
import { backOff, defaultRetryPolicy } from "@flts/common/stage/verdict";

/**
 * Hears of promotions, so that nobody has to wait until a head is looked at again.
 *
 * - H1 Each replica has a group of its own, and hears every promotion.
 * - H2 Whenever the group was joined, all heads are to be read after that: nothing falls between.
 * - H3 A log that is down does not end it: the group is joined again.
 */
export interface PromotionHints {
  /** Whether the group is joined and alive. */
  isAlive(): boolean;
  stop(): Promise<void>;
}

export interface PromotionHintsDeps {
  readonly messageLog: MessageLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly topic: string;
  /** This replica's own (H1). */
  readonly group: string;
  /** Makes the topic, where it is missing. */
  readonly ensureTopics: () => Promise<void>;
  readonly report: (attempt: AttemptReport) => void;
  /** The head of this station may have changed; null: of any (H2). */
  readonly onHint: (identifier: string | null) => void;
}

/** A group silent for longer has lost its log. */
const MAX_SILENCE_MS = 15_000;

export function hearPromotions({
  messageLog,
  clock,
  random,
  log,
  ...deps
}: PromotionHintsDeps): PromotionHints {
  const { group, onHint } = deps;
  const stopping = new AbortController();
  const { signal } = stopping;
  let stage: RunningStage | null = null;

  const hints: Stage<Promotion, null> = {
    name: "promotion-watch",
    consumes: { ...modelSelected, name: deps.topic },
    handle: async ({ identifier }) => {
      onHint(identifier);
      return [];
    },
  };

  async function listen(): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      const lost = Promise.withResolvers<unknown>();
      const leave = (): void => lost.resolve(null);
      try {
        await deps.ensureTopics();
        stage = await startStage(hints, {
          log: messageLog,
          deps: null,
          clock,
          random,
          policy: defaultRetryPolicy,
          group,
          from: "latest",
          report: deps.report,
          onFatal: lost.resolve,
        });
        attempt = 1;
        onHint(null); // H2
        // The stop may have come while the group was joined: an aborted signal tells nobody again.
        if (signal.aborted) leave();
        signal.addEventListener("abort", leave, { once: true });
        const cause = await lost.promise;
        signal.removeEventListener("abort", leave);
        if (!signal.aborted) log.error("promotion_watch_fail", cause, { group });
        await stage.stop();
      } catch (error) {
        if (!signal.aborted) log.error("promotion_watch_fail", error, { group, attempt });
      } finally {
        stage = null;
      }
      await clock.sleep(backOff({ attempt, jitter: random.next() }, defaultRetryPolicy), signal); // H3
    }
  }

  const listening = listen();
  return {
    isAlive() {
      const health = stage?.health();
      return health !== undefined && health.joined && health.lastPollAgoMs < MAX_SILENCE_MS;
    },
    async stop() {
      stopping.abort();
      await listening;
      // Best effort: a group that stays behind holds nothing but offsets.
      await messageLog
        .removeGroup(group)
        .catch((error: unknown) => log.error("promotion_watch_fail", error, { group }));
    },
  };
}
