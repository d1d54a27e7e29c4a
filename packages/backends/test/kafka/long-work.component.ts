import type { Consumer, Delivery, MessageLog } from "@flts/common/ports/message-log";
import { abortOf } from "@flts/testing/contract/abort-of";
import { expectCode } from "@flts/testing/contract/expect-code";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { open } from "./open-kafka-log.ts";

const sessionMs = 6000;
/** Two and a half sessions. */
const workMs = 15_000;
const patience = { timeout: 30_000, interval: 50 };

let log: MessageLog;
let topic: string;
let tests = 0;
const consumers: Consumer[] = [];
beforeAll(async () => {
  log = await open({ KAFKA_SESSION_TIMEOUT_MS: String(sessionMs) });
});
afterAll(() => log.close());
beforeEach(async () => {
  tests += 1;
  topic = `long-work-${Date.now().toString(36)}-${tests}`;
  await log.ensureTopics([{ name: topic, partitions: 2 }]);
});
afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
});

const onCrash = (error: unknown): never => {
  throw error;
};
const join = async (onDelivery: (delivery: Delivery) => Promise<void>): Promise<Consumer> => {
  const consumer = await log.consume({
    group: topic,
    topics: [topic],
    from: "earliest",
    onDelivery,
    onCrash,
  });
  consumers.push(consumer);
  return consumer;
};
const publish = (...keys: readonly string[]): Promise<void> =>
  log.publish(keys.map((key) => ({ topic, key, value: Buffer.from(key) })));
/** Murmur2 puts these into different partitions of two. */
const keys = ["a", "d"] as const;

test("a rebalance in the middle of long work neither loses nor repeats it", async () => {
  const worked: string[] = [];
  const others: string[] = [];
  const begun = Promise.withResolvers<void>();
  const owner = await join(async (delivery) => {
    begun.resolve();
    await new Promise((resolve) => {
      setTimeout(resolve, workMs);
    });
    await delivery.commit();
    worked.push(`${delivery.key} ${delivery.signal.aborted ? "aborted" : "kept"}`);
  });
  await publish(keys[0]);
  await begun.promise;
  const second = await join(async (delivery) => {
    others.push(String(delivery.key));
    await delivery.commit();
  });
  await vi.waitFor(
    () => expect([owner, second].map((member) => member.health().partitions)).toStrictEqual([1, 1]),
    patience,
  );
  // The other partition has gone to the second member, which works beside.
  await publish(keys[1]);
  await vi.waitFor(() => expect(others).toStrictEqual([keys[1]]), patience);
  await vi.waitFor(() => expect(worked).toStrictEqual([`${keys[0]} kept`]), patience);
  expect(others).toStrictEqual([keys[1]]);
  const lags = await log.lag(topic, [topic]);
  expect(lags.map(({ committed }) => committed)).toStrictEqual([1n, 1n]);
  await owner.stop();
  await vi.waitFor(() => expect(second.health().partitions).toBe(2), patience);
  expect(others).toStrictEqual([keys[1]]);
}, 90_000);

test("work on a partition that moves is told so, may not commit, and is taken over", async () => {
  const deliveries: Delivery[] = [];
  const taken: string[] = [];
  const end = Promise.withResolvers<void>();
  const owner = await join(async (delivery) => {
    deliveries.push(delivery);
    await Promise.race([abortOf(delivery.signal), end.promise]);
    if (!delivery.signal.aborted) await delivery.commit();
  });
  await publish(...keys);
  await vi.waitFor(() => expect(deliveries).toHaveLength(2), patience);
  await join(async (delivery) => {
    taken.push(String(delivery.key));
    await delivery.commit();
  });
  await vi.waitFor(() => expect(taken).toHaveLength(1), patience);
  const [moved] = deliveries.filter(({ signal }) => signal.aborted);
  expect(moved?.key).toBe(taken[0]);
  await expectCode("OWNERSHIP_LOST", moved?.commit() ?? Promise.resolve());
  end.resolve();
  await vi.waitFor(async () => {
    const lags = await log.lag(topic, [topic]);
    expect(lags.map(({ committed }) => committed)).toStrictEqual([1n, 1n]);
  }, patience);
  expect(deliveries).toHaveLength(2);
  expect(owner.health()).toMatchObject({ joined: true, partitions: 1 });
}, 60_000);
