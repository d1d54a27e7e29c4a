import type { Consumer, Delivery, StoredMessage, Subscription } from "@flts/common/ports/message-log";
import { expect, vi } from "vitest";
import type { LogSuite } from "./suite.ts";

/** A member of a group that remembers what it was given. */
export interface Reader {
  readonly consumer: Consumer;
  readonly seen: readonly StoredMessage[];
  readonly crashes: readonly unknown[];
  /** The messages' texts, in the order of their delivery. */
  texts(): readonly string[];
  /** Resolves when it has been given so many messages. */
  until(count: number): Promise<void>;
}

export interface ReaderOptions extends Partial<Pick<Subscription, "from" | "topics" | "maxInFlight">> {
  /** What the handler does; by default it commits. */
  readonly handle?: (delivery: Delivery) => Promise<void>;
}

/** Joins a group of the test's topic, from the earliest message on. */
export async function startReader(
  suite: LogSuite,
  group: string,
  options: ReaderOptions = {},
): Promise<Reader> {
  const { handle = (delivery) => delivery.commit(), ...subscription } = options;
  const seen: StoredMessage[] = [];
  const crashes: unknown[] = [];
  const consumer = await suite.log.consume({
    group: suite.group(group),
    topics: [suite.topic],
    from: "earliest",
    ...subscription,
    onDelivery: async (delivery) => {
      seen.push(delivery);
      await handle(delivery);
    },
    onCrash: (error) => crashes.push(error),
  });
  suite.onTestEnd(() => consumer.stop());
  return {
    consumer,
    seen,
    crashes,
    texts: () => seen.map(textOf),
    until: (count) => eventually(suite, () => seen.length >= count),
  };
}

/** Resolves when the condition holds. Fails when it does not within the suite's patience. */
export async function eventually(
  suite: LogSuite,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const holds = async (): Promise<void> => {
    if (!(await condition()))
      throw new Error(`Not within ${suite.capabilities.patienceMs} ms: ${String(condition)}`);
  };
  await vi.waitFor(holds, { timeout: suite.capabilities.patienceMs, interval: 10 });
}

/** Expects that the members of a group come to own so many partitions each, in any order. */
export async function expectShares(
  suite: LogSuite,
  readers: readonly Reader[],
  shares: readonly number[],
): Promise<void> {
  await vi.waitFor(
    () => {
      const owned = readers.map(({ consumer }) => consumer.health().partitions);
      expect(owned.toSorted((a, b) => a - b)).toStrictEqual(shares);
    },
    { timeout: suite.capabilities.patienceMs, interval: 10 },
  );
}

export const textOf = ({ value }: { readonly value: Uint8Array }): string => Buffer.from(value).toString();

/** Publishes texts to the test's topic, each with the same key. */
export const publish = (suite: LogSuite, key: string | null, ...texts: readonly string[]): Promise<void> =>
  suite.log.publish(texts.map((text) => ({ topic: suite.topic, key, value: Buffer.from(text) })));

/** Publishes one message to each of the three partitions and returns a key for each. */
export async function keysOfPartitions(suite: LogSuite): Promise<readonly string[]> {
  const probe = `${suite.topic}-probe`;
  await suite.log.ensureTopics([{ name: probe, partitions: 3 }]);
  const candidates = Array.from({ length: 40 }, (_, number) => `key-${number}`);
  await suite.log.publish(candidates.map((key) => ({ topic: probe, key, value: new Uint8Array() })));
  const keys = new Map<number, string>();
  for await (const { partition, key } of suite.log.browse(probe)) if (key !== null) keys.set(partition, key);
  return [...keys].toSorted(([a], [b]) => a - b).map(([, key]) => key);
}
