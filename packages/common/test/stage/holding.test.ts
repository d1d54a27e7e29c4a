import { expect, test, vi } from "vitest";
import { FltsError } from "../../src/contracts/errors.ts";
import { defaultRetryPolicy } from "../../src/stage/verdict.ts";
import {
  createWorkbench,
  encoded,
  failing,
  type Handle,
  HOUR_MS,
  messagesOf,
  outage,
  receipt,
  receiptFor,
  receipts,
} from "./workbench.ts";

/** I5: a retryable fault holds its message for as long as it lasts, or until nobody waits for it any more. */

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
