import { FltsError } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import type { Delivery, StoredMessage, Subscription } from "@flts/common/ports/message-log";
import { partitionName } from "../embedded/partition.ts";
import { isRebalance, kafkaError } from "./errors.ts";
import type { HeldPartition } from "./sticky-assigner.ts";

/**
 * Hands the messages of the owned partitions to the subscription's handler, one of a partition at a time, in order, and within the bound of
 * deliveries in flight. It knows nothing of fetching: a session feeds it, and tells it which partitions are owned.
 */
export interface Dispatcher {
  /** Takes note of what this member owns from now on. With `anew` it has lost everything in between, also what it gets back. */
  own(partitions: readonly TopicPartition[], anew: boolean): void;
  /**
   * Takes the next messages of an owned partition, which has none waiting. Resolves when all are handled and committed, or when the
   * partition is lost; while a message is settled but uncommitted, it does neither.
   */
  feed(
    partition: TopicPartition,
    messages: readonly StoredMessage[],
    commit: CommitOffset,
  ): Promise<"done" | "lost">;
  held(): readonly HeldPartition[];
  /** Delivers no more, aborts what is in flight, waits for its handlers, and gives everything up. */
  drain(): Promise<void>;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Sets the group's next offset in a partition. @throws kafkajs's errors */
export type CommitOffset = (partition: TopicPartition, next: bigint) => Promise<void>;

interface Holding extends TopicPartition {
  readonly name: string;
  readonly abort: AbortController;
  state: "idle" | "handling" | "blocked";
  feed: Feed | null;
  committed: bigint;
}

interface Feed {
  readonly messages: readonly StoredMessage[];
  readonly commit: CommitOffset;
  readonly done: PromiseWithResolvers<"done" | "lost">;
  /** Index of the message to be handled next. */
  next: number;
}

/** How long a commit waits for a group that rebalances, or for a broker that is away. */
const commitPatienceMs = 30_000;
/** The same while the consumer stops. */
const lastCommitPatienceMs = 1000;
const commitPauseMs = 100;

export function createDispatcher(
  subscription: Pick<Subscription, "maxInFlight" | "onDelivery">,
  clock: Clock,
  onBug: (error: unknown) => void,
): Dispatcher {
  const most = subscription.maxInFlight ?? Number.POSITIVE_INFINITY;
  /** Who waits longest for a delivery comes first. */
  const holdings = new Map<string, Holding>();
  /** Handlers at work, also on partitions that are lost. */
  const handlers = new Map<string, Promise<void>>();
  let draining = false;

  const isHeld = (holding: Holding): boolean => holdings.get(holding.name) === holding;
  const lose = (holding: Holding): void => {
    holdings.delete(holding.name);
    holding.abort.abort();
    holding.feed?.done.resolve("lost");
  };

  const pump = (): void => {
    for (const holding of Array.from(holdings.values())) {
      if (draining || handlers.size >= most) return;
      const message = holding.state === "idle" ? holding.feed?.messages[holding.feed.next] : undefined;
      // A handler that lost the partition may still be at work when it comes back.
      if (!holding.feed || !message || handlers.has(holding.name)) continue;
      holdings.delete(holding.name);
      holdings.set(holding.name, holding);
      holding.state = "handling";
      handlers.set(holding.name, handle(holding, holding.feed, message));
    }
  };

  const handle = async (holding: Holding, feed: Feed, message: StoredMessage): Promise<void> => {
    const next = message.offset + 1n;
    const delivery: Delivery = {
      ...message,
      signal: holding.abort.signal,
      commit: () => commit(holding, feed.commit, next),
    };
    try {
      await subscription.onDelivery(delivery);
    } catch (error) {
      if (!draining) onBug(error);
    }
    handlers.delete(holding.name);
    holding.state = holding.committed >= next ? "idle" : "blocked";
    if (holding.state === "idle") feed.next += 1;
    if (feed.next === feed.messages.length) {
      holding.feed = null;
      feed.done.resolve("done");
    }
    pump();
  };

  /** Tries until the offset is committed or the partition is lost: whoever still owns it after a rebalance may commit in the new generation. */
  const commit = async (holding: Holding, commitOffset: CommitOffset, next: bigint): Promise<void> => {
    const begun = clock.monotonicMs();
    for (;;) {
      if (!isHeld(holding)) throw new FltsError("OWNERSHIP_LOST", `Partition ${holding.name} has moved on`);
      if (next <= holding.committed) return;
      try {
        await commitOffset(holding, next);
        holding.committed = next;
        return;
      } catch (error) {
        const failure = kafkaError(error, `commit offset ${next} of ${holding.name}`);
        const patienceMs = draining ? lastCommitPatienceMs : commitPatienceMs;
        const hopeless = failure.kind !== "retryable" || clock.monotonicMs() - begun > patienceMs;
        if (hopeless && !isRebalance(error)) throw failure;
        if (hopeless) throw new FltsError("OWNERSHIP_LOST", `Partition ${holding.name} has moved on`, error);
      }
      await clock.sleep(commitPauseMs);
    }
  };

  return {
    own: (partitions, anew) => {
      const named = new Map(partitions.map((owned) => [partitionName(owned.topic, owned.partition), owned]));
      for (const holding of holdings.values()) if (anew || !named.has(holding.name)) lose(holding);
      for (const [name, { topic, partition }] of named) {
        if (holdings.has(name)) continue;
        const abort = new AbortController();
        holdings.set(name, { name, topic, partition, abort, state: "idle", feed: null, committed: -1n });
      }
    },
    feed: ({ topic, partition }, messages, commitOffset) => {
      const holding = holdings.get(partitionName(topic, partition));
      if (!holding || holding.feed || draining) return Promise.resolve("lost");
      const done = Promise.withResolvers<"done" | "lost">();
      holding.feed = { messages, commit: commitOffset, done, next: 0 };
      pump();
      return done.promise;
    },
    held: () =>
      [...holdings.values()].map(({ topic, partition, state }) => ({
        topic,
        partition,
        busy: state === "handling",
      })),
    drain: async () => {
      draining = true;
      for (const { abort } of holdings.values()) abort.abort();
      await Promise.all(handlers.values());
      for (const holding of holdings.values()) lose(holding);
    },
  };
}
