import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryLog } from "@flts/testing/memory-log";
import { expect, test } from "vitest";
import { replay } from "../../src/housekeeping/replay.ts";
import type { MessageLog } from "../../src/ports/message-log.ts";

const topic = "training-data";
const group = "train-linear";

async function setUp() {
  const clock = createManualClock();
  const log = createMemoryLog({ clock });
  await log.ensureTopics([{ name: topic, partitions: 1 }]);
  for (const id of ["a", "b", "c"]) {
    await log.publish([{ topic, key: null, value: Buffer.from(id), headers: { deadline_ms: "1", id } }]);
    await clock.advance(1_000);
  }
  return { log, startMs: clock.now() - 3_000 };
}

/** A member of the group that writes down what it hears. */
async function join(log: MessageLog) {
  const heard: string[] = [];
  const consumer = await log.consume({
    group,
    topics: [topic],
    from: "earliest",
    onDelivery: async (delivery) => {
      heard.push(Buffer.from(delivery.value).toString());
      await delivery.commit();
    },
    onCrash: () => undefined,
  });
  await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  return { heard, consumer };
}

test.each([
  ["earliest", "earliest" as const, ["a", "b", "c"]],
  ["latest", "latest" as const, []],
  ["an offset", { offset: 2n }, ["c"]],
])("a group without members begins at %s", async (_name, to, expected) => {
  const { log } = await setUp();
  await (await join(log)).consumer.stop();
  expect(await replay(log, { group, topic, to, force: false })).toEqual({ kind: "moved" });
  expect((await join(log)).heard).toEqual(expected);
});

test("a group without members begins with the first message of a time", async () => {
  const { log, startMs } = await setUp();
  await (await join(log)).consumer.stop();
  await replay(log, { group, topic, to: { timeMs: startMs + 500 }, force: false });
  expect((await join(log)).heard).toEqual(["b", "c"]);
});

test("a group at work is left alone, and its members are named", async () => {
  const { log } = await setUp();
  const { heard } = await join(log);
  const replaying = replay(log, { group, topic, to: "earliest", force: false });
  await expect(replaying).rejects.toMatchObject({
    code: "GROUP_ACTIVE",
    message: expect.stringContaining("1 member(s) at work"),
  });
  expect(heard).toEqual(["a", "b", "c"]);
});

test.each([
  ["earliest", () => "earliest" as const, ["a", "b", "c"]],
  ["an offset", () => ({ offset: 1n }), ["b", "c"]],
  ["a time", (startMs: number) => ({ timeMs: startMs + 1_500 }), ["c"]],
])("forced, the messages since %s come once more, without their deadlines", async (_name, to, expected) => {
  const { log, startMs } = await setUp();
  const { heard } = await join(log);
  expect(await replay(log, { group, topic, to: to(startMs), force: true })).toEqual({
    kind: "published",
    messages: expected.length,
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual(["a", "b", "c", ...expected]);
  let last: Readonly<Record<string, string>> = {};
  for await (const { headers } of log.browse(topic)) last = headers;
  expect(last).toEqual({ id: "c" });
});

test("not even by force can a group at work be made to leap", async () => {
  const { log } = await setUp();
  await join(log);
  await expect(replay(log, { group, topic, to: "latest", force: true })).rejects.toMatchObject({
    code: "GROUP_ACTIVE",
  });
});
