import { FltsError, hasCode } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import type { Consumer, Subscription } from "@flts/common/ports/message-log";
import type { Consumer as KafkaConsumer } from "kafkajs";
import type { KafkaClients } from "./client.ts";
import { createDispatcher } from "./dispatcher.ts";
import { kafkaError } from "./errors.ts";
import type { Groups } from "./groups.ts";
import { openSession, type Session } from "./session.ts";
import { createStickyAssigner } from "./sticky-assigner.ts";
import type { Topics } from "./topics.ts";

export interface ConsumerDeps {
  readonly clients: Pick<KafkaClients, "consumer">;
  readonly topics: Topics;
  readonly groups: Groups;
  readonly clock: Clock;
  readonly sessionTimeoutMs: number;
}

/** A broker may be away so long before the membership is begun anew. */
const silenceMs = 90_000;
const longestPauseMs = 5000;
/** A cluster that is just starting refuses members for some seconds. */
const joinPatienceMs = 10_000;
const joinPauseMs = 250;
const leaveMs = 2500;

/**
 * Joins a group, and joins again whenever that membership ends, until it is stopped or an operator must help. Resolves when it is in the group for
 * the first time. @throws TOPIC_MISSING, LOG_FORBIDDEN, LOG_UNAVAILABLE
 */
export async function startConsumer(subscription: Subscription, deps: ConsumerDeps): Promise<Consumer> {
  const { group, topics } = subscription;
  const { clock } = deps;
  const stopping = new AbortController();
  const { signal } = stopping;
  /** No handler is at work any more, and none will be. */
  const drained = Promise.withResolvers<void>();
  let session: Session | null = null;
  let supervising: Promise<void> = Promise.resolve();
  let lastAliveMs = clock.monotonicMs();
  let stopped: Promise<void> | null = null;
  const lastAliveAgoMs = (): number => clock.monotonicMs() - lastAliveMs;

  const crash = (error: unknown): void => {
    if (signal.aborted) return;
    void stop();
    subscription.onCrash(error);
  };
  const dispatcher = createDispatcher(subscription, clock, crash);
  /** A member that was silent for the length of a session may have been replaced, and lays no claim. */
  const assigner = createStickyAssigner(() =>
    lastAliveAgoMs() < deps.sessionTimeoutMs ? dispatcher.held() : [],
  );

  const open = async (): Promise<Session> => {
    for (const topic of topics) await deps.topics.partitionsOf(topic);
    lastAliveMs = clock.monotonicMs();
    const consumer = deps.clients.consumer(group, assigner);
    try {
      return await openSession({
        consumer,
        topics,
        dispatcher,
        clock,
        silenceMs,
        onJoined: () => (subscription.from === "latest" ? pinToEnd(consumer) : Promise.resolve()),
        onAlive: () => {
          lastAliveMs = clock.monotonicMs();
        },
        lastAliveAgoMs,
      });
    } catch (error) {
      throw kafkaError(error, `join group ${group}`);
    }
  };
  /** Where the group has nothing committed in a topic, it begins at the present end of all its partitions. */
  const pinToEnd = async (consumer: KafkaConsumer): Promise<void> => {
    for (const topic of topics) {
      const lags = await deps.groups.lag(group, [topic]);
      if (lags.some(({ committed }) => committed !== null)) continue;
      const ends = lags.map(({ partition, end }) => ({ topic, partition, offset: String(end) }));
      await consumer.commitOffsets(ends);
      const held = dispatcher.held();
      for (const end of ends)
        if (held.some((mine) => mine.topic === topic && mine.partition === end.partition)) consumer.seek(end);
    }
  };

  const openFirst = async (): Promise<Session> => {
    for (const begun = clock.monotonicMs(); ; await clock.sleep(joinPauseMs)) {
      try {
        return await open();
      } catch (error) {
        const patient = clock.monotonicMs() - begun < joinPatienceMs;
        if (!patient || !hasCode(error, "LOG_UNAVAILABLE")) throw error;
      }
    }
  };
  const reopen = async (): Promise<Session | null> => {
    try {
      return await open();
    } catch (error) {
      if (error instanceof FltsError && error.kind === "fatal") crash(error);
      return null;
    }
  };
  const supervise = async (first: Session): Promise<void> => {
    for (session = first; session !== null; ) {
      await Promise.race([session.ended, drained.promise]);
      dispatcher.own([], true);
      await session.close();
      session = null;
      for (
        let pauseMs = 100;
        session === null && !signal.aborted;
        pauseMs = Math.min(2 * pauseMs, longestPauseMs)
      ) {
        await clock.sleep(pauseMs, signal);
        if (!signal.aborted) session = await reopen();
      }
    }
  };

  const stop = (): Promise<void> => {
    stopped ??= leave();
    return stopped;
  };
  const leave = async (): Promise<void> => {
    stopping.abort();
    await dispatcher.drain();
    drained.resolve();
    // An attempt to join a log that is away ends by itself.
    await Promise.race([supervising, clock.sleep(leaveMs)]);
  };

  supervising = supervise(await openFirst());
  return {
    health: () => ({
      joined: session !== null && !signal.aborted,
      partitions: dispatcher.held().length,
      lastPollAgoMs: lastAliveAgoMs(),
    }),
    stop,
  };
}
