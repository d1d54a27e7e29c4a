import type { Delivery, StoredMessage } from "@flts/common/ports/message-log";
import { expectCode } from "@flts/testing/contract/expect-code";
import { createManualClock } from "@flts/testing/manual-clock";
import { expect, test, vi } from "vitest";
import { createDispatcher, type TopicPartition } from "../../src/kafka/dispatcher.ts";

const partition = (number: number): TopicPartition => ({ topic: "t", partition: number });
const message = (ofPartition: number, offset: bigint): StoredMessage => ({
  ...partition(ofPartition),
  offset,
  key: null,
  value: new Uint8Array(),
  headers: {},
  publishedAt: 0,
});

interface Handling {
  readonly delivery: Delivery;
  readonly end: (error?: Error) => void;
}

/** A dispatcher whose handlers end when the test says so. */
function workbench(maxInFlight?: number) {
  const handlings: Handling[] = [];
  const bugs: unknown[] = [];
  const clock = createManualClock();
  const onDelivery = (delivery: Delivery): Promise<void> =>
    new Promise((resolve, reject) => {
      handlings.push({ delivery, end: (error) => (error ? reject(error) : resolve()) });
    });
  const bound = maxInFlight === undefined ? {} : { maxInFlight };
  const dispatcher = createDispatcher({ onDelivery, ...bound }, clock, (error) => bugs.push(error));
  const commits: string[] = [];
  const commit = async ({ partition: number }: TopicPartition, next: bigint): Promise<void> => {
    commits.push(`${number}@${next}`);
  };
  const at = (index: number): Handling => {
    const handling = handlings[index];
    if (!handling) throw new Error(`There is no handling ${index}`);
    return handling;
  };
  const settled = (count: number): Promise<void> =>
    expect.poll(() => handlings, { interval: 1 }).toHaveLength(count);
  return { dispatcher, handlings, bugs, clock, commits, commit, at, settled };
}

test("a feed is done when all its messages are handled and committed, one after the other", async () => {
  const { dispatcher, commits, commit, at, settled, handlings } = workbench();
  dispatcher.own([partition(0)], false);
  const fed = dispatcher.feed(partition(0), [message(0, 5n), message(0, 6n)], commit);
  expect(handlings).toHaveLength(1);
  expect(dispatcher.held()).toStrictEqual([{ ...partition(0), busy: true }]);
  await at(0).delivery.commit();
  at(0).end();
  await settled(2);
  await at(1).delivery.commit();
  at(1).end();
  expect(await fed).toBe("done");
  expect(commits).toStrictEqual(["0@6", "0@7"]);
});

test("the bound of deliveries in flight holds over all partitions, and each gets its turn", async () => {
  const { dispatcher, commit, at, settled, handlings } = workbench(1);
  dispatcher.own([partition(0), partition(1)], false);
  void dispatcher.feed(partition(0), [message(0, 0n), message(0, 1n)], commit);
  void dispatcher.feed(partition(1), [message(1, 0n)], commit);
  for (const index of [0, 1, 2]) {
    await settled(index + 1);
    await at(index).delivery.commit();
    at(index).end();
  }
  expect(handlings.map(({ delivery }) => `${delivery.partition}@${delivery.offset}`)).toStrictEqual([
    "0@0",
    "1@0",
    "0@1",
  ]);
});

test("a partition that moves aborts its delivery, refuses its commit, and ends its feed", async () => {
  const { dispatcher, commit, at } = workbench();
  dispatcher.own([partition(0), partition(1)], false);
  const moving = dispatcher.feed(partition(0), [message(0, 0n)], commit);
  void dispatcher.feed(partition(1), [message(1, 0n)], commit);
  dispatcher.own([partition(1)], false);
  expect(await moving).toBe("lost");
  expect([at(0), at(1)].map(({ delivery }) => delivery.signal.aborted)).toStrictEqual([true, false]);
  await expectCode("OWNERSHIP_LOST", at(0).delivery.commit(), /t\/0/);
  await at(1).delivery.commit();
});

test("a partition that comes back waits for the handler that lost it", async () => {
  const { dispatcher, commit, at, settled, handlings } = workbench();
  dispatcher.own([partition(0)], false);
  void dispatcher.feed(partition(0), [message(0, 0n)], commit);
  dispatcher.own([partition(0)], true);
  void dispatcher.feed(partition(0), [message(0, 0n)], commit);
  expect(handlings).toHaveLength(1);
  at(0).end();
  await settled(2);
  expect(at(1).delivery.signal.aborted).toBe(false);
});

test("a commit is repeated through a rebalance, and given up when the partition has moved", async () => {
  const { dispatcher, at, clock } = workbench();
  const rebalancing = Object.assign(new Error("rebalancing"), { type: "REBALANCE_IN_PROGRESS" });
  let refusals = 2;
  const commit = vi.fn(async () => {
    if (refusals-- > 0) throw rebalancing;
  });
  dispatcher.own([partition(0), partition(1)], false);
  void dispatcher.feed(partition(0), [message(0, 0n)], commit);
  const committed = at(0).delivery.commit();
  for (const attempt of [1, 2]) {
    await expect.poll(() => commit, { interval: 1 }).toHaveBeenCalledTimes(attempt);
    await clock.advance(100);
  }
  await committed;
  expect(commit).toHaveBeenCalledTimes(3);

  refusals = 1;
  void dispatcher.feed(partition(1), [message(1, 0n)], commit);
  const late = expectCode("OWNERSHIP_LOST", at(1).delivery.commit());
  await expect.poll(() => commit, { interval: 1 }).toHaveBeenCalledTimes(4);
  dispatcher.own([], false);
  await clock.advance(100);
  await late;
});

test("draining aborts what is in flight, lets it commit, and waits for it", async () => {
  const { dispatcher, commit, commits, at, handlings, bugs } = workbench();
  dispatcher.own([partition(0)], false);
  void dispatcher.feed(partition(0), [message(0, 0n), message(0, 1n)], commit);
  const drained = dispatcher.drain();
  expect(at(0).delivery.signal.aborted).toBe(true);
  await at(0).delivery.commit();
  at(0).end(new Error("stopped"));
  await drained;
  expect([commits, handlings.length, bugs]).toStrictEqual([["0@1"], 1, []]);
  expect(dispatcher.held()).toStrictEqual([]);
  await expectCode("OWNERSHIP_LOST", at(0).delivery.commit());
});

test("a handler that breaks is told of, and its message holds the partition", async () => {
  const { dispatcher, commit, at, handlings, bugs } = workbench();
  dispatcher.own([partition(0)], false);
  void dispatcher.feed(partition(0), [message(0, 0n), message(0, 1n)], commit);
  at(0).end(new Error("a bug"));
  await expect.poll(() => bugs, { interval: 1 }).toHaveLength(1);
  expect(handlings).toHaveLength(1);
});
