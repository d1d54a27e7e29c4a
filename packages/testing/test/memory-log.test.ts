import type { Delivery } from "@flts/common/ports/message-log";
import { expect, test } from "vitest";
import { expectCode } from "../src/contract/expect-code.ts";
import { createManualClock } from "../src/manual-clock.ts";
import { createMemoryLog } from "../src/memory-log.ts";

test("an expired lease aborts what is in flight, refuses its commit, and repeats the message", async () => {
  const log = createMemoryLog();
  await log.ensureTopics([{ name: "t", partitions: 1 }]);
  const deliveries: Delivery[] = [];
  const arrived = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const done = Promise.withResolvers<void>();
  const consumer = await log.consume({
    group: "g",
    topics: ["t"],
    from: "earliest",
    onDelivery: async (delivery) => {
      deliveries.push(delivery);
      arrived[deliveries.length - 1]?.resolve();
      await done.promise;
      if (deliveries.length === 2) await delivery.commit().catch(() => null);
    },
    onCrash: () => {},
  });
  await log.publish([{ topic: "t", key: null, value: new Uint8Array() }]);
  await arrived[0]?.promise;
  log.expireLeases("g");
  await arrived[1]?.promise;
  const [first, second] = deliveries;
  expect([first?.signal.aborted, second?.signal.aborted, second?.offset]).toStrictEqual([true, false, 0n]);
  await expectCode("OWNERSHIP_LOST", first?.commit() ?? Promise.resolve());
  done.resolve();
  await consumer.stop();
  expect((await log.lag("g", ["t"]))[0]?.committed).toBe(1n);
});

test("stamps messages with the time of its clock", async () => {
  const clock = createManualClock(1234);
  const log = createMemoryLog({ clock });
  await log.ensureTopics([{ name: "t", partitions: 1 }]);
  await log.publish([{ topic: "t", key: null, value: new Uint8Array() }]);
  for await (const { publishedAt } of log.browse("t")) expect(publishedAt).toBe(1234);
});
