import { collect } from "@flts/testing/contract/collect";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { expect, test } from "vitest";
import { open } from "./open-kafka-log.ts";

test("what other producers leave in a topic is read as far as it can be, and stops nobody", async () => {
  const topic = `foreign-${Date.now().toString(36)}`;
  const log = await open();
  await log.ensureTopics([{ name: topic, partitions: 1 }]);
  const brokers = (process.env["KAFKA_BOOTSTRAP_SERVERS"] ?? "").split(",");
  const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const bytes = Buffer.from([0xff, 0x00, 0xfe]);
  await producer.send({
    topic,
    messages: [
      { key: "gone", value: null },
      { key: bytes, value: bytes, headers: { binary: bytes } },
      { value: "repeated", headers: { note: ["first", "last"] } },
    ],
  });
  await producer.disconnect();

  const delivered: unknown[] = [];
  const all = Promise.withResolvers<void>();
  await log.consume({
    group: topic,
    topics: [topic],
    from: "earliest",
    onDelivery: async ({ key, value, headers, commit }) => {
      delivered.push({ key, value: Buffer.from(value).toString("hex"), headers });
      await commit();
      if (delivered.length === 3) all.resolve();
    },
    onCrash: all.reject,
  });
  await all.promise;
  const unreadable = bytes.toString();
  expect(delivered).toStrictEqual([
    { key: "gone", value: "", headers: {} },
    { key: unreadable, value: "ff00fe", headers: { binary: unreadable } },
    { key: null, value: Buffer.from("repeated").toString("hex"), headers: { note: "last" } },
  ]);
  expect(await collect(log.browse(topic))).toHaveLength(3);
  await log.close();
});
