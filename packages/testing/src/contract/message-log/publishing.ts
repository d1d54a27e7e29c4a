import { describe, expect, test } from "vitest";
import { collect } from "../collect.ts";
import { expectCode } from "../expect-code.ts";
import { keysOfPartitions, publish, startReader, textOf } from "./reader.ts";
import type { LogSuite } from "./suite.ts";

export function publishing(suite: LogSuite): void {
  describe("publishing", () => {
    test("delivers a message as it was published", async () => {
      const before = Date.now() - 1000 * 60 * 60 * 24 * 1000;
      const message = { topic: suite.topic, key: "default", value: Buffer.from("{}"), headers: { a: "é" } };
      await suite.log.publish([message]);
      const reader = await startReader(suite, "readers");
      await reader.until(1);
      expect(reader.seen[0]).toMatchObject({
        topic: suite.topic,
        key: "default",
        headers: { a: "é" },
        offset: 0n,
      });
      expect(reader.texts()).toStrictEqual(["{}"]);
      expect(reader.seen[0]?.publishedAt).toBeGreaterThan(before);
    });

    test("delivers a message without bytes, key or headers", async () => {
      await suite.log.publish([{ topic: suite.topic, key: null, value: new Uint8Array() }]);
      const reader = await startReader(suite, "readers");
      await reader.until(1);
      expect(reader.seen[0]).toMatchObject({ key: null, headers: {} });
      expect(reader.texts()).toStrictEqual([""]);
    });

    test("keeps the order of equal keys, within a call and from call to call", async () => {
      const keys = ["a", "b", "c", "d", "e"];
      for (let round = 0; round < 10; round += 1) {
        await suite.log.publish(
          [0, 1].flatMap((turn) =>
            keys.map((key) => ({
              topic: suite.topic,
              key,
              value: Buffer.from(String(round * 2 + turn).padStart(3, "0")),
            })),
          ),
        );
      }
      const reader = await startReader(suite, "readers");
      await reader.until(100);
      for (const key of keys) {
        const own = reader.seen.filter((message) => message.key === key);
        expect(own.map(textOf)).toStrictEqual(own.map(textOf).toSorted());
        expect(own).toHaveLength(20);
        expect(new Set(own.map(({ partition }) => partition))).toHaveProperty("size", 1);
      }
    });

    test("counts offsets from zero in each partition", async () => {
      for (const key of await keysOfPartitions(suite)) await publish(suite, key, "1", "2", "3");
      const reader = await startReader(suite, "readers");
      await reader.until(9);
      for (const partition of [0, 1, 2]) {
        const own = reader.seen.filter((message) => message.partition === partition);
        expect(own.map(({ offset }) => offset)).toStrictEqual([0n, 1n, 2n]);
        expect(own.map(textOf)).toStrictEqual(["1", "2", "3"]);
      }
    });

    test("names the topic that is missing", async () => {
      const message = { topic: "contract-absent", key: null, value: new Uint8Array() };
      await expectCode("TOPIC_MISSING", suite.log.publish([message]), /contract-absent/);
      await expectCode("TOPIC_MISSING", suite.log.lag("g", ["contract-absent"]));
      await expectCode("TOPIC_MISSING", collect(suite.log.browse("contract-absent")));
      const subscription = { group: suite.group("g"), topics: ["contract-absent"], from: "latest" as const };
      const consume = suite.log.consume({ ...subscription, onDelivery: async () => {}, onCrash: () => {} });
      await expectCode("TOPIC_MISSING", consume);
    });

    test("refuses a message beyond 1 MiB and publishes nothing of its call", async () => {
      const small = { topic: suite.topic, key: "k", value: Buffer.from("small") };
      const large = { topic: suite.topic, key: "k", value: new Uint8Array(1024 * 1024 + 1) };
      await expectCode("MESSAGE_TOO_LARGE", suite.log.publish([small, large]), new RegExp(suite.topic));
      await suite.log.publish([{ ...large, value: new Uint8Array(900 * 1024) }]);
      const stored = await collect(suite.log.browse(suite.topic));
      expect(stored.map(({ value }) => value.byteLength)).toStrictEqual([900 * 1024]);
    });

    test("carries as large a message as its topic allows", async () => {
      const roomy = `${suite.topic}-roomy`;
      await suite.log.ensureTopics([{ name: roomy, partitions: 1, maxMessageBytes: 4 * 1024 * 1024 }]);
      const message = { topic: roomy, key: "k", value: new Uint8Array(3 * 1024 * 1024) };
      await suite.log.publish([message]);
      const larger = { ...message, value: new Uint8Array(5 * 1024 * 1024) };
      await expectCode("MESSAGE_TOO_LARGE", suite.log.publish([larger]), new RegExp(roomy));
      const stored = await collect(suite.log.browse(roomy));
      expect(stored.map(({ value }) => value.byteLength)).toStrictEqual([3 * 1024 * 1024]);
    });

    test("keeps its own copy of the bytes", async () => {
      const value = Buffer.from("before");
      await suite.log.publish([{ topic: suite.topic, key: null, value }]);
      value.fill(0);
      const [stored] = await collect(suite.log.browse(suite.topic));
      expect(stored && textOf(stored)).toBe("before");
    });

    test("leaves topics as they are when they are ensured again, and adds partitions", async () => {
      await publish(suite, "k", "kept");
      await suite.log.ensureTopics([{ name: suite.topic, partitions: 1 }]);
      await suite.log.ensureTopics([{ name: suite.topic, partitions: 5 }]);
      expect(await suite.log.lag(suite.group("g"), [suite.topic])).toHaveLength(5);
      expect((await collect(suite.log.browse(suite.topic))).map(textOf)).toStrictEqual(["kept"]);
    });

    test("refuses topics that no log could make", async () => {
      for (const name of ["", "with space", "a/b", "a,b"]) {
        await expectCode("CONFIG_INVALID", suite.log.ensureTopics([{ name, partitions: 1 }]));
      }
      await expectCode("CONFIG_INVALID", suite.log.ensureTopics([{ name: "fine", partitions: 0 }]));
    });

    test("shows what lies in a topic, in order, up to the present end and without a group", async () => {
      const keys = await keysOfPartitions(suite);
      const texts = Array.from({ length: 150 }, (_, number) => String(number).padStart(3, "0"));
      for (const key of keys) await publish(suite, key, ...texts);
      const stored = await collect(suite.log.browse(suite.topic));
      for (const key of keys) {
        expect(stored.filter((message) => message.key === key).map(textOf)).toStrictEqual(texts);
      }
      expect(stored).toHaveLength(450);
      const reader = await startReader(suite, "readers");
      await reader.until(450);
    });

    test("answers a ping", async () => {
      await expect(suite.log.ping()).resolves.toBeUndefined();
    });
  });
}
