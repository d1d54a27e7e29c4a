import { expect, test, vi } from "vitest";
import { type ErrorCode, FltsError } from "../../src/contracts/errors.ts";
import { revive } from "../../src/stage/dead-letter.ts";
import { defaultRetryPolicy } from "../../src/stage/verdict.ts";
import {
  createWorkbench,
  encoded,
  GROUP,
  type Handle,
  messagesOf,
  orders,
  receiptFor,
  receipts,
} from "./workbench.ts";

/** The invariants of the shell, by their numbers in runner.ts. Stopping (I4) has a file of its own. */

const HOUR_MS = 3_600_000;
const outage = () => new FltsError("STORE_UNAVAILABLE", "the store does not answer");
const receipt: Handle = async (event) => [receiptFor(event)];
const failing =
  (code: ErrorCode, message: string): Handle =>
  () =>
    Promise.reject(new FltsError(code, message));

test("a message is handled, its events are published, and it is committed", async () => {
  const bench = await createWorkbench({ handle: receipt });
  await bench.send("a", "b");
  await bench.start();
  await bench.clock.advance(0);
  expect(await bench.received()).toEqual(["a", "b"]);
  expect(await bench.committed()).toBe(2);
  expect(bench.reports.map(({ verdict }) => verdict.kind)).toEqual(["commit", "commit"]);
});

test("I1: nothing is committed before its events are durable", async () => {
  const bench = await createWorkbench({ handle: receipt });
  const durable = Promise.withResolvers<void>();
  bench.hands.publish = async (proceed) => {
    await durable.promise;
    await proceed();
  };
  await bench.send("a");
  await bench.start();
  await bench.clock.advance(HOUR_MS);
  expect(await bench.committed()).toBe(0);
  durable.resolve();
  await bench.clock.advance(0);
  expect([await bench.received(), await bench.committed()]).toEqual([["a"], 1]);
});

test("I1: a publish that fails commits nothing, and the whole attempt is repeated", async () => {
  const handle = vi.fn<Handle>(receipt);
  const bench = await createWorkbench({ handle });
  bench.hands.publish = () => Promise.reject(new FltsError("LOG_UNAVAILABLE", "down"));
  await bench.send("a");
  await bench.start();
  await bench.clock.advance(0);
  expect(await bench.committed()).toBe(0);
  bench.hands.publish = (proceed) => proceed();
  await bench.clock.advance(1_000);
  expect(handle.mock.calls.map(([, , { attempt }]) => attempt)).toEqual([1, 2]);
  expect([await bench.received(), await bench.committed()]).toEqual([["a"], 1]);
});

test("what a handler publishes on its way is in the log before it goes on", async () => {
  const seen: (readonly string[])[] = [];
  const bench = await createWorkbench({
    handle: async (event, _deps, { publish }) => {
      await publish([receiptFor({ ...event, id: "begun" })]);
      seen.push(await bench.received());
      return [receiptFor(event)];
    },
  });
  await bench.send("a");
  await bench.start();
  await bench.clock.advance(0);
  expect(seen).toEqual([["begun"]]);
  expect(await bench.received()).toEqual(["begun", "a"]);
});

test("I2: a message whose commit was lost is handled again and publishes the same event", async () => {
  const bench = await createWorkbench({ handle: receipt });
  bench.hands.commit = () => new Promise(() => {}); // The process hangs where it should have committed.
  await bench.send("a");
  await bench.start();
  await bench.clock.advance(0);
  bench.hands.commit = (proceed) => proceed();
  bench.log.expireLeases(GROUP);
  await bench.clock.advance(0);
  const [first, second] = await messagesOf(bench.log, "receipts");
  expect(second).toEqual({ ...first, offset: 1n });
  expect(await bench.committed()).toBe(1);
});

test("I3: the next message of a partition waits for the one before it, and other partitions do not", async () => {
  let down = true;
  const handle = vi.fn<Handle>(async (event) => {
    if (down && event.id === "a") throw outage();
    return [receiptFor(event)];
  });
  const bench = await createWorkbench({ handle }, 2);
  for (const [key, id] of ["1a", "1b", "2c", "3d", "4e", "5f"])
    await bench.sendRaw({ key: key ?? null, value: encoded({ id }) });
  const sent = await messagesOf(bench.log, orders.name);
  const held = sent[0]?.partition;
  const others = sent.filter(({ partition }) => partition !== held).length;
  expect(others).toBeGreaterThan(0);
  await bench.start();
  await bench.clock.advance(HOUR_MS);
  expect(await bench.received()).toHaveLength(others);
  expect(handle.mock.calls.map(([{ id }]) => id)).not.toContain("b");
  down = false;
  await bench.clock.advance(HOUR_MS);
  expect(await bench.committed()).toBe(6);
  const ids = await bench.received();
  expect(ids.indexOf("a")).toBeLessThan(ids.indexOf("b"));
});

test("I3: no more messages are in hand at once than the stage allows", async () => {
  let inHand = 0;
  const most: number[] = [];
  const bench = await createWorkbench(
    {
      handle: async (event) => {
        most.push((inHand += 1));
        await bench.clock.sleep(10);
        inHand -= 1;
        return [receiptFor(event)];
      },
    },
    4,
  );
  await bench.send("a", "b", "c", "d", "e", "f", "g", "h");
  await bench.start({ maxInFlight: 2 });
  await bench.clock.advance(1_000);
  expect(await bench.committed()).toBe(8);
  expect(Math.max(...most)).toBe(2);
});

test.each([
  ["in the handler", "handle"],
  ["while publishing", "publish"],
  ["while committing", "commit"],
] as const)("I5: an outage %s holds its message for as long as it lasts", async (_name, where) => {
  let down = true;
  const failingAt = async <T>(place: string, proceed: () => Promise<T>): Promise<T> => {
    if (down && place === where) throw outage();
    return proceed();
  };
  const bench = await createWorkbench({ handle: (...input) => failingAt("handle", () => receipt(...input)) });
  bench.hands.publish = (proceed) => failingAt("publish", proceed);
  bench.hands.commit = (proceed) => failingAt("commit", proceed);
  await bench.send("a", "b");
  await bench.start();
  await bench.clock.advance(6 * HOUR_MS);
  expect(await bench.committed()).toBe(0);
  expect(await bench.letters()).toEqual([]);
  expect(bench.reports.at(-1)).toMatchObject({
    verdict: { kind: "retry" },
    error: { code: "STORE_UNAVAILABLE" },
  });
  expect(bench.reports.at(-1)?.heldMs).toBeGreaterThan(5.9 * HOUR_MS);
  down = false;
  await bench.clock.advance(60_000);
  expect(await bench.received()).toEqual(["a", "b"]);
  expect(await bench.committed()).toBe(2);
});

test("I5: attempts are spaced by the back-off, not by a busy loop", async () => {
  const bench = await createWorkbench({ handle: () => Promise.reject(outage()) });
  await bench.send("a");
  await bench.start();
  await bench.clock.advance(HOUR_MS);
  expect(bench.reports.length).toBeGreaterThan(100);
  expect(bench.reports.length).toBeLessThan(260);
});

test("I5: a newer message version holds its partition until this service is upgraded", async () => {
  const bench = await createWorkbench({ handle: receipt });
  await bench.sendRaw({ key: "a", value: encoded({ v: 2, id: "a" }) });
  await bench.send("b");
  await bench.start();
  await bench.clock.advance(HOUR_MS);
  expect([await bench.committed(), await bench.letters(), await bench.received()]).toEqual([0, [], []]);
  expect(bench.reports.at(-1)).toMatchObject({ error: { code: "EVENT_TOO_NEW" } });
});

test("a claimed object that stays away is waited for, then given up", async () => {
  const bench = await createWorkbench({ handle: failing("CLAIM_MISSING", "not there") });
  await bench.send("a");
  await bench.start();
  await bench.clock.advance(59_000);
  expect(await bench.letters()).toEqual([]);
  await bench.clock.advance(32_000);
  expect(await bench.letters()).toMatchObject([{ code: "CLAIM_MISSING" }]);
  expect(await bench.committed()).toBe(1);
});

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

test("an outage before a bug, a crash or a missing object uses up none of their grants", async () => {
  const faults: Error[] = [
    ...Array.from({ length: 20 }, outage),
    new TypeError("bug"),
    new FltsError("TRAINING_CRASHED", "killed"),
    new FltsError("CLAIM_MISSING", "not there"),
    new TypeError("bug"),
    new FltsError("TRAINING_CRASHED", "killed"),
    new FltsError("CLAIM_MISSING", "not there"),
  ];
  const bench = await createWorkbench({
    handle: async (event) => {
      const fault = faults.shift();
      if (fault !== undefined) throw fault;
      return [receiptFor(event)];
    },
  });
  await bench.send("a");
  await bench.start({ policy: { ...defaultRetryPolicy, claimMissingGraceMs: 120_000 } });
  await bench.clock.advance(HOUR_MS);
  expect([await bench.letters(), await bench.received()]).toEqual([[], ["a"]]);
});

test("a message whose deadline has passed is done unhandled, and the next one goes on", async () => {
  const handle = vi.fn<Handle>(receipt);
  const bench = await createWorkbench({ handle });
  const past = String(bench.clock.now() - 1);
  await bench.sendRaw({ key: "a", value: encoded({ id: "late" }), headers: { deadline_ms: past } });
  await bench.sendRaw({ key: "a", value: Buffer.from("no JSON"), headers: { deadline_ms: past } });
  await bench.send("b");
  await bench.start();
  await bench.clock.advance(0);
  expect(bench.reports.map(({ verdict }) => verdict.kind)).toEqual(["expire", "expire", "commit"]);
  expect([await bench.received(), await bench.letters(), await bench.committed()]).toEqual([["b"], [], 3]);
});

test("a deadline in the future is none yet; it ends the message while an outage holds it", async () => {
  const bench = await createWorkbench({ handle: () => Promise.reject(outage()) });
  const deadline = String(bench.clock.now() + HOUR_MS);
  await bench.sendRaw({ key: "a", value: encoded({ id: "a" }), headers: { deadline_ms: deadline } });
  await bench.start();
  await bench.clock.advance(HOUR_MS - 30_000);
  expect(await bench.committed()).toBe(0);
  await bench.clock.advance(70_000);
  expect(bench.reports.at(-1)).toMatchObject({ verdict: { kind: "expire" } });
  expect([await bench.committed(), await bench.letters()]).toEqual([1, []]);
});

test("what a handler emits has no deadline of its own, as in the reference", async () => {
  const bench = await createWorkbench({ handle: receipt });
  const headers = { deadline_ms: String(bench.clock.now() + HOUR_MS) };
  await bench.sendRaw({ key: "a", value: encoded({ id: "a" }), headers });
  await bench.start();
  await bench.clock.advance(0);
  expect(await messagesOf(bench.log, receipts.name)).toMatchObject([{ headers: {} }]);
});

test.each(["", "soon", "-1", "12.5", "1e3"])("a deadline of %j is none", async (text) => {
  const bench = await createWorkbench({ handle: receipt });
  await bench.sendRaw({ key: "a", value: encoded({ id: "a" }), headers: { deadline_ms: text } });
  await bench.start();
  await bench.clock.advance(0);
  expect(await bench.received()).toEqual(["a"]);
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

test("what only an operator can mend ends the process and leaves the message", async () => {
  const missing = new FltsError("BUCKET_MISSING", "create it");
  const handle = vi.fn<Handle>(() => Promise.reject(missing));
  const bench = await createWorkbench({ handle });
  await bench.send("a", "b");
  await bench.start();
  await bench.clock.advance(HOUR_MS);
  expect(bench.fatal).toEqual([missing]);
  expect(handle).toHaveBeenCalledTimes(1);
  expect([await bench.letters(), await bench.committed()]).toEqual([[], 0]);
});

test.each([
  ["and this worker knows", true],
  ["and this worker has not heard of it yet", false],
])(
  "a commit refused because the partition moved on, %s, is no error and is not repeated",
  async (_name, knows) => {
    const bench = await createWorkbench({ handle: receipt });
    let refusals = 0;
    bench.hands.commit = async (proceed) => {
      if (refusals > 0) return proceed();
      refusals += 1;
      if (knows) bench.log.expireLeases(GROUP);
      throw new FltsError("OWNERSHIP_LOST", "the partition has moved on");
    };
    await bench.send("a");
    await bench.start();
    await bench.clock.advance(HOUR_MS);
    bench.log.expireLeases(GROUP);
    await bench.clock.advance(0);
    expect(bench.reports.map(({ verdict, error }) => [verdict.kind, error])).toEqual([
      ["commit", undefined],
      ["commit", undefined],
    ]);
    expect([await bench.received(), await bench.committed(), bench.fatal]).toEqual([["a", "a"], 1, []]);
  },
);

test("a new group begins where it is told to: with the first message, or with the next", async () => {
  const bench = await createWorkbench({ handle: receipt });
  await bench.send("a");
  await bench.start({ group: "late", from: "latest" });
  await bench.send("b");
  await bench.clock.advance(0);
  expect(await bench.received()).toEqual(["b"]);
});

test("a running stage says how it is, and a stopped one that it has left", async () => {
  const bench = await createWorkbench({ handle: receipt }, 3);
  const stage = await bench.start();
  expect(stage.health()).toEqual({ joined: true, partitions: 3, lastPollAgoMs: 0 });
  await stage.stop();
  expect(stage.health()).toMatchObject({ joined: false, partitions: 0 });
});
