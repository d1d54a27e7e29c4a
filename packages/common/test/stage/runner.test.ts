import { expect, test, vi } from "vitest";
import { FltsError } from "../../src/contracts/errors.ts";
import {
  createWorkbench,
  encoded,
  GROUP,
  type Handle,
  HOUR_MS,
  messagesOf,
  orders,
  outage,
  receipt,
  receiptFor,
} from "./workbench.ts";

/** The invariants of the shell, by their numbers in runner.ts. Holding (I5), giving up (I6) and stopping (I4) have files of their own. */

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
