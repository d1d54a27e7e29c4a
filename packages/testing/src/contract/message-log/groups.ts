import { describe, expect, test } from "vitest";
import { expectCode } from "../expect-code.ts";
import { eventually, expectShares, keysOfPartitions, publish, startReader } from "./reader.ts";
import type { LogSuite } from "./suite.ts";

export function groups(suite: LogSuite): void {
  describe("groups", () => {
    test("each get every message, and give each to one of their members", async () => {
      const one = await startReader(suite, "one");
      const two = await startReader(suite, "one");
      const alone = await startReader(suite, "two");
      await expectShares(suite, [one, two], [1, 2]);
      await expectShares(suite, [alone], [3]);
      const texts = Array.from({ length: 60 }, (_, number) => `message ${number}`);
      for (const text of texts) await publish(suite, text, text);
      await alone.until(60);
      await eventually(suite, () => one.seen.length + two.seen.length >= 60);
      expect(alone.texts().toSorted()).toStrictEqual(texts.toSorted());
      expect([...one.texts(), ...two.texts()].toSorted()).toStrictEqual(texts.toSorted());
      expect(one.seen.length * two.seen.length).toBeGreaterThan(0);
    });

    test("begin where they were told to when they have committed nothing", async () => {
      await publish(suite, "k", "before");
      const earliest = await startReader(suite, "earliest", { from: "earliest" });
      const latest = await startReader(suite, "latest", { from: "latest" });
      await publish(suite, "k", "after");
      await earliest.until(2);
      await latest.until(1);
      expect(earliest.texts()).toStrictEqual(["before", "after"]);
      expect(latest.texts()).toStrictEqual(["after"]);
    });

    test("that began at the latest message miss nothing while they have no members", async () => {
      await publish(suite, "k", "before");
      const first = await startReader(suite, "g", { from: "latest" });
      await first.consumer.stop();
      await publish(suite, "k", "meanwhile");
      const second = await startReader(suite, "g", { from: "latest" });
      await second.until(1);
      expect(second.texts()).toStrictEqual(["meanwhile"]);
    });

    test("go on where they had committed", async () => {
      await publish(suite, "k", "1", "2");
      const first = await startReader(suite, "g");
      await first.until(2);
      await first.consumer.stop();
      await publish(suite, "k", "3");
      const second = await startReader(suite, "g");
      await second.until(1);
      expect(second.texts()).toStrictEqual(["3"]);
    });

    test("share anew when a member joins, and when one leaves", async () => {
      const one = await startReader(suite, "g");
      await expectShares(suite, [one], [3]);
      const two = await startReader(suite, "g");
      await expectShares(suite, [one, two], [1, 2]);
      const three = await startReader(suite, "g");
      await expectShares(suite, [one, two, three], [1, 1, 1]);
      await one.consumer.stop();
      await expectShares(suite, [two, three], [1, 2]);
      await three.consumer.stop();
      await expectShares(suite, [two], [3]);
      for (const key of await keysOfPartitions(suite)) await publish(suite, key, key);
      await two.until(3);
    });

    test("give partitions only to members that want their topic", async () => {
      const other = `${suite.topic}-other`;
      await suite.log.ensureTopics([{ name: other, partitions: 2 }]);
      const one = await startReader(suite, "g");
      const two = await startReader(suite, "g", { topics: [other] });
      await expectShares(suite, [one, two], [2, 3]);
      await publish(suite, "k", "for one");
      await suite.log.publish([{ topic: other, key: "k", value: Buffer.from("for two") }]);
      await one.until(1);
      await two.until(1);
      expect([one.texts(), two.texts()]).toStrictEqual([["for one"], ["for two"]]);
    });

    test("take in partitions that are added to their topic", async () => {
      const reader = await startReader(suite, "g", { from: "latest" });
      await expectShares(suite, [reader], [3]);
      await suite.log.ensureTopics([{ name: suite.topic, partitions: 4 }]);
      await expectShares(suite, [reader], [4]);
    });

    test("tell how far they have come", async () => {
      const [key = ""] = await keysOfPartitions(suite);
      await publish(suite, key, "1", "2", "3");
      const untouched = { topic: suite.topic, committed: null, end: 0n };
      const fresh = await suite.log.lag(suite.group("g"), [suite.topic]);
      expect(fresh[0]).toStrictEqual({ topic: suite.topic, partition: 0, committed: null, end: 3n });
      const reader = await startReader(suite, "g", {
        handle: async (delivery) => {
          if (delivery.offset < 2n) await delivery.commit();
        },
      });
      await reader.until(3);
      expect(await suite.log.lag(suite.group("g"), [suite.topic])).toStrictEqual([
        { topic: suite.topic, partition: 0, committed: 2n, end: 3n },
        { ...untouched, partition: 1 },
        { ...untouched, partition: 2 },
      ]);
    });

    test("name their members", async () => {
      expect(await suite.log.members(suite.group("g"))).toStrictEqual([]);
      const one = await startReader(suite, "g");
      await startReader(suite, "g");
      await startReader(suite, "other");
      const members = await suite.log.members(suite.group("g"));
      expect(new Set(members.map(({ id }) => id))).toHaveProperty("size", 2);
      await one.consumer.stop();
      const [left] = await suite.log.members(suite.group("g"));
      expect(members).toContainEqual(left);
    });

    test("are forgotten on request, once they have no members", async () => {
      await publish(suite, "k", "1");
      const first = await startReader(suite, "g");
      await first.until(1);
      await expectCode("LOG_UNAVAILABLE", suite.log.removeGroup(suite.group("g")), /members/);
      await first.consumer.stop();
      await suite.log.removeGroup(suite.group("g"));
      await suite.log.removeGroup(suite.group("never was"));
      const second = await startReader(suite, "g");
      await second.until(1);
      expect(second.texts()).toStrictEqual(["1"]);
    });
  });
}
