import { FltsError } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import type { Consumer, EachBatchPayload } from "kafkajs";
import type { CommitOffset, Dispatcher, TopicPartition } from "./dispatcher.ts";
import { disconnect } from "./lazy-client.ts";
import { toStored } from "./messages.ts";

/** One time of membership in a group: it ends by itself when kafkajs gives up, and is not mended. */
export interface Session {
  /** Resolves with the error that ended the session. */
  readonly ended: Promise<unknown>;
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly consumer: Consumer;
  readonly topics: readonly string[];
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  /** After so much silence the session counts as dead. */
  readonly silenceMs: number;
  /** Sees to it that the group begins where it should; no message is delivered before. */
  readonly onJoined: () => Promise<void>;
  /** The brokers have just answered. */
  readonly onAlive: () => void;
  lastAliveAgoMs(): number;
}

/**
 * Work that ends within this time is awaited before the next fetch; other partitions wait so long at most. What takes longer leaves the loop,
 * which goes on fetching for the others and answering rebalances (kafkajs does neither while it waits for a handler), and then waits for one
 * fetch more, up to 300 ms: so it is more than a commit takes on a busy machine.
 */
const graceMs = 250;

/** Joins the group; resolves when this member is in it. @throws kafkajs's errors */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { consumer, dispatcher, clock, onAlive } = options;
  const { GROUP_JOIN, HEARTBEAT, COMMIT_OFFSETS, CRASH } = consumer.events;
  const joined = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<unknown>();
  let memberId: string | null = null;

  consumer.on(HEARTBEAT, onAlive);
  consumer.on(COMMIT_OFFSETS, onAlive);
  consumer.on(CRASH, ({ payload }) => ended.resolve(payload.error));
  consumer.on(GROUP_JOIN, ({ payload }) => {
    onAlive();
    const owned = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    // Under another id: the group had taken this member for dead.
    const before = payload.memberId === memberId ? dispatcher.held() : [];
    dispatcher.own(owned, payload.memberId !== memberId);
    memberId = payload.memberId;
    // What is new here may have been paused when it was here before.
    const gained = owned.filter((mine) => !before.some((held) => isSame(held, mine)));
    consumer.resume(gained.map(({ topic, partition }) => ({ topic, partitions: [partition] })));
    joined.resolve();
  });

  const ready = joined.promise.then(options.onJoined);
  ready.catch(() => null); // told by the race below; after it, by the end of the session
  const onBatch = async (payload: EachBatchPayload): Promise<void> => {
    await ready;
    const { batch, isRunning, isStale, resolveOffset, pause } = payload;
    if (!isRunning() || isStale()) return;
    const messages = batch.messages.map((message) => toStored(batch.topic, batch.partition, message));
    const fed = dispatcher.feed(batch, messages, commitOf(payload));
    const grace = new AbortController();
    const soon = await Promise.race([fed, clock.sleep(graceMs, grace.signal)]);
    grace.abort();
    // Paused until it comes back: it would be fetched over and over while the last handlers end.
    if (soon === "lost") return void pause();
    if (soon === "done") return resolveOffset(batch.lastOffset());
    const resume = pause();
    void finishLater(fed, () => {
      resolveOffset(batch.lastOffset());
      resume();
    });
  };

  const watch = setInterval(() => {
    const silentMs = options.lastAliveAgoMs();
    if (silentMs < options.silenceMs) return;
    ended.resolve(new FltsError("LOG_UNAVAILABLE", `No broker has answered for ${Math.round(silentMs)} ms`));
  }, 1000);
  const session: Session = {
    ended: ended.promise,
    close: async () => {
      clearInterval(watch);
      // Disconnected while it joins, kafkajs would go on alone.
      await Promise.race([joined.promise, ended.promise, clock.sleep(joinPatienceMs)]);
      await disconnect(consumer);
    },
  };
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...options.topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 64,
      eachBatch: onBatch,
    });
    await Promise.race([ready, ended.promise.then((error) => Promise.reject(error))]);
    return session;
  } catch (error) {
    ended.resolve(error);
    await session.close();
    throw error;
  }
}

async function finishLater(fed: Promise<"done" | "lost">, finish: () => void): Promise<void> {
  // Who lost the partition has nothing more to say about it.
  if ((await fed) === "done") finish();
}

const joinPatienceMs = 1000;

const isSame = (a: TopicPartition, b: TopicPartition): boolean =>
  a.topic === b.topic && a.partition === b.partition;

/** Commits in the generation of the moment, and fails at once: whether to try again is the dispatcher's affair. */
function commitOf({ commitOffsetsIfNecessary }: EachBatchPayload): CommitOffset {
  return ({ topic, partition }, next) =>
    commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: String(next) }] }] });
}
