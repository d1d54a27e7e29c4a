import { expect, test, vi } from "vitest";
import { FltsError } from "../../src/contracts/errors.ts";
import { revive } from "../../src/stage/dead-letter.ts";
import {
  createWorkbench,
  encoded,
  failing,
  type Handle,
  HOUR_MS,
  messagesOf,
  orders,
  outage,
  receipt,
  receiptFor,
} from "./workbench.ts";

/** I6: a dead letter is complete, and durable before its message is committed. */

test.each([
  ["garbage", Buffer.from([0xff, 0x00, 0x7b]), "EVENT_INVALID"],
  ["another schema", encoded({ id: 7 }), "EVENT_INVALID"],
  ["an old version", encoded({ v: 0, id: "a" }), "EVENT_TOO_OLD"],
  ["an absurd version", encoded({ v: 1e9, id: "a" }), "EVENT_INVALID"],
])(
  "I6: %s is dead-lettered complete, the next message goes on, and replaying publishes it again",
  async (_name, value, code) => {
    const handle = vi.fn<Handle>(receipt);
    const bench = await createWorkbench({ handle });
    const message = { key: null, value, headers: { traceparent: "00-1" } };
    await bench.sendRaw(message);
    await bench.send("b");
    await bench.start();
    await bench.clock.advance(0);
    const [letter, ...others] = await bench.letters();
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      operation: "test",
      topic: "orders",
      partition: 0,
      offset: "0",
      key: null,
      code,
      attempts: 1,
    });
    expect(handle).toHaveBeenCalledTimes(1);
    expect([await bench.received(), await bench.committed()]).toEqual([["b"], 2]);
    const revived = letter === undefined ? null : revive(letter);
    if (revived !== null) await bench.log.publish([revived]);
    expect((await messagesOf(bench.log, orders.name)).at(-1)).toMatchObject({
      ...message,
      value: new Uint8Array(value),
    });
  },
);

test("I6: a dead letter is durable before its message is committed", async () => {
  const bench = await createWorkbench({ handle: receipt });
  const durable = Promise.withResolvers<void>();
  bench.hands.publish = async (proceed) => {
    await durable.promise;
    await proceed();
  };
  await bench.sendRaw({ key: "a", value: encoded({}) });
  await bench.start();
  await bench.clock.advance(HOUR_MS);
  expect(await bench.committed()).toBe(0);
  durable.resolve();
  await bench.clock.advance(0);
  expect([await bench.letters(), await bench.committed()]).toMatchObject([[{ code: "EVENT_INVALID" }], 1]);
});

test.each([
  ["the log is down", "LOG_UNAVAILABLE"],
  ["their topic is not there", "TOPIC_MISSING"],
  ["their topic refuses them", "MESSAGE_TOO_LARGE"],
] as const)("I6: while %s, the message stays and nothing behind it is taken", async (_name, code) => {
  const handle = vi.fn<Handle>(receipt);
  const bench = await createWorkbench({ handle });
  bench.hands.publish = () => Promise.reject(new FltsError(code, "no dead letter"));
  await bench.sendRaw({ key: "a", value: encoded({}) });
  await bench.send("b");
  await bench.start();
  await bench.clock.advance(HOUR_MS);
  expect(await bench.committed()).toBe(0);
  expect(handle).not.toHaveBeenCalled();
  bench.hands.publish = (proceed) => proceed();
  await bench.clock.advance(60_000);
  expect([(await bench.letters()).length, await bench.received(), await bench.committed()]).toEqual([
    1,
    ["b"],
    2,
  ]);
});

test("a bug is tried three times, then dead-lettered as unclassified", async () => {
  const bench = await createWorkbench({ handle: () => Promise.reject(new TypeError("x is not a function")) });
  await bench.send("a");
  await bench.start();
  await bench.clock.advance(1_000);
  expect(await bench.letters()).toMatchObject([
    { code: "UNCLASSIFIED", error: "x is not a function", attempts: 3 },
  ]);
  expect(await bench.committed()).toBe(1);
});

test("giving a message up tells the rest of the pipeline, in one publish with the dead letter", async () => {
  const bench = await createWorkbench({
    handle: failing("TABLE_INVALID", "no rows"),
    giveUp: async ({ id }, { code, reason }) => [receiptFor({ v: 1, id: `${id}: ${code}, ${reason}` })],
  });
  const batches: string[][] = [];
  bench.hands.publish = (proceed, messages) => {
    batches.push(messages.map(({ topic }) => topic));
    return proceed();
  };
  await bench.send("a");
  await bench.start();
  await bench.clock.advance(0);
  expect(batches).toEqual([["receipts", "DLQ-orders"]]);
  expect(await bench.received()).toEqual(["a: TABLE_INVALID, no rows"]);
});

test("nobody is told of a message that cannot be read", async () => {
  const giveUp = vi.fn<() => Promise<[]>>(async () => []);
  const bench = await createWorkbench({ handle: receipt, giveUp });
  await bench.sendRaw({ key: "a", value: encoded({}) });
  await bench.start();
  await bench.clock.advance(0);
  expect(giveUp).not.toHaveBeenCalled();
  expect(await bench.letters()).toHaveLength(1);
});

test("an outage while giving up holds the message, and the letter is written once it is over", async () => {
  let down = true;
  const bench = await createWorkbench({
    handle: failing("TABLE_INVALID", "no rows"),
    giveUp: async (event) => {
      if (down) throw outage();
      return [receiptFor(event)];
    },
  });
  await bench.send("a");
  await bench.start();
  await bench.clock.advance(HOUR_MS);
  expect([await bench.letters(), await bench.received(), await bench.committed()]).toEqual([[], [], 0]);
  down = false;
  await bench.clock.advance(60_000);
  expect(await bench.letters()).toMatchObject([{ code: "TABLE_INVALID", attempts: 1 }]);
  expect([await bench.received(), await bench.committed()]).toEqual([["a"], 1]);
});

test.each([
  ["a bug", () => new TypeError("x is not a function"), 2],
  ["something poisonous", () => new FltsError("POINTER_INVALID", "no candidate"), 0],
])("%s in what is to be told keeps no dead letter from being written", async (_name, fault, retries) => {
  const bench = await createWorkbench({
    handle: failing("TABLE_INVALID", "no rows"),
    giveUp: () => Promise.reject(fault()),
  });
  await bench.send("a", "b");
  await bench.start();
  await bench.clock.advance(60_000);
  expect(await bench.letters()).toMatchObject(
    ["a", "b"].map((id) => ({
      code: "TABLE_INVALID",
      error: `no rows (nobody could be told: ${fault().message})`,
      payload: { id },
    })),
  );
  expect(bench.reports.filter(({ verdict }) => verdict.kind === "retry")).toHaveLength(2 * retries);
  expect(await bench.committed()).toBe(2);
});
