import type { OutgoingMessage } from "@flts/common/ports/message-log";
import { expectCode } from "@flts/testing/contract/expect-code";
import type { ProducerBatch } from "kafkajs";
import { expect, test } from "vitest";
import { createLazyClient } from "../../src/kafka/lazy-client.ts";
import { createPublisher } from "../../src/kafka/publisher.ts";

const message = (topic: string, text: string, bytes = 1): OutgoingMessage => ({
  topic,
  key: text,
  value: new Uint8Array(bytes),
});

/** A publisher on producers that note what they are given, and fail when the test says so. */
function workbench(answer: (batch: readonly string[], producer: number) => Promise<void> = async () => {}) {
  const requests: (readonly string[])[] = [];
  let producers = 0;
  let atOnce = 0;
  let most = 0;
  const lazy = createLazyClient(() => {
    producers += 1;
    const producer = producers;
    return {
      connect: async () => {},
      disconnect: async () => {},
      sendBatch: async ({ topicMessages = [] }: ProducerBatch) => {
        const keys = topicMessages.flatMap(({ messages }) => messages.map(({ key }) => String(key)));
        requests.push(keys);
        atOnce += 1;
        most = Math.max(most, atOnce);
        try {
          await answer(keys, producer);
        } finally {
          atOnce -= 1;
        }
        return [];
      },
    };
  });
  return { publisher: createPublisher(lazy), requests, most: () => most, producers: () => producers };
}

test("calls go out one request at a time, and those that wait go together", async () => {
  const first = Promise.withResolvers<void>();
  const { publisher, requests, most } = workbench((keys) =>
    keys.includes("1") ? first.promise : Promise.resolve(),
  );
  const calls = ["1", "2", "3"].map((key) => publisher.publish([message("t", key)]));
  await expect.poll(() => requests.length).toBe(1);
  first.resolve();
  await Promise.all(calls);
  expect(requests).toStrictEqual([["1"], ["2", "3"]]);
  expect(most()).toBe(1);
});

test("large calls are cut into moderate requests, and no message is left out", async () => {
  const { publisher, requests } = workbench();
  await publisher.publish([
    message("t", "empty", 0),
    message("t", "1", 400_000),
    message("t", "2", 400_000),
    message("t", "3", 3_000_000),
    message("t", "4"),
  ]);
  expect(requests).toStrictEqual([["empty", "1"], ["2"], ["3"], ["4"]]);
  await publisher.publish([]);
  await publisher.publish([{ topic: "t", key: null, value: new Uint8Array() }]);
  expect(requests.at(-1)).toHaveLength(1);
});

test("a producer that failed is never used again", async () => {
  const { publisher, producers } = workbench(async (_keys, producer) => {
    if (producer === 1) throw new Error("no answer");
  });
  await expectCode("LOG_UNAVAILABLE", publisher.publish([message("t", "1")]), /publish to t: no answer/);
  await publisher.publish([message("t", "2")]);
  expect(producers()).toBe(2);
});

test("a call that is at fault fails alone", async () => {
  const gate = Promise.withResolvers<void>();
  const tooLarge = Object.assign(new Error("too large"), { type: "MESSAGE_TOO_LARGE" });
  const { publisher } = workbench(async (keys) => {
    if (keys.includes("gate")) return gate.promise;
    if (keys.includes("large")) throw tooLarge;
  });
  const ahead = publisher.publish([message("t", "gate")]);
  const good = publisher.publish([message("t", "good")]);
  const bad = expectCode("MESSAGE_TOO_LARGE", publisher.publish([message("t", "large")]));
  gate.resolve();
  await Promise.all([ahead, good, bad]);
});
