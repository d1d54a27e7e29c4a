import { modelSelected } from "@flts/common/contracts/events";
import { parseEvent } from "@flts/common/contracts/topic";
import type { Clock } from "@flts/common/ports/clock";
import type { Consumer, Delivery, MessageLog } from "@flts/common/ports/message-log";
import type { Random } from "@flts/common/ports/random";
import type { Logger } from "@flts/common/service/logger";
import type { AttemptReport } from "@flts/common/stage/runner";
import { backOff, defaultRetryPolicy } from "@flts/common/stage/verdict";

/**
 * Hears of promotions, so that nobody has to wait until a head is looked at again.
 *
 * - H1 Each replica has a group of its own, and hears every promotion.
 * - H2 Whenever the group was joined, all heads are to be read after that: nothing falls between.
 * - H3 A log that is down does not end it: the group is joined again.
 * - H4 A hint is only a hint: what is no promotion is done with a warning. Nobody can mend it, and every replica would leave a dead letter of it.
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
  const { topic, group, onHint } = deps;
  const stopping = new AbortController();
  const { signal } = stopping;
  let consumer: Consumer | null = null;

  function hear(delivery: Delivery): void {
    try {
      onHint(parseEvent(modelSelected, delivery.value).identifier);
    } catch (error) {
      const { partition, offset } = delivery;
      const reason = error instanceof Error ? error.message : String(error);
      log.warn("promotion_hint_ignored", { topic, partition, offset: String(offset), reason }); // H4
    }
  }

  async function listen(): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      const lost = Promise.withResolvers<unknown>();
      const leave = (): void => lost.resolve(null);
      try {
        await deps.ensureTopics();
        consumer = await messageLog.consume({
          group,
          topics: [topic],
          from: "latest",
          onDelivery: async (delivery) => {
            hear(delivery);
            await delivery.commit();
            const verdict = { kind: "commit" } as const;
            deps.report({ stage: "promotion-watch", delivery, verdict, attempt: 1, heldMs: 0 });
          },
          onCrash: lost.resolve,
        });
        attempt = 1;
        onHint(null); // H2
        // The stop may have come while the group was joined: an aborted signal tells nobody again.
        if (signal.aborted) leave();
        signal.addEventListener("abort", leave, { once: true });
        const cause = await lost.promise;
        signal.removeEventListener("abort", leave);
        if (!signal.aborted) log.error("promotion_watch_fail", cause, { group });
        await consumer.stop();
      } catch (error) {
        if (!signal.aborted) log.error("promotion_watch_fail", error, { group, attempt });
      } finally {
        consumer = null;
      }
      await clock.sleep(backOff({ attempt, jitter: random.next() }, defaultRetryPolicy), signal); // H3
    }
  }

  const listening = listen();
  return {
    isAlive() {
      const health = consumer?.health();
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
