import { keys } from "@flts/common/contracts/layout";
import type { Emission } from "@flts/common/contracts/topic";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { createManualClock } from "@flts/testing/manual-clock";
import { expect, test } from "vitest";
import { createLedger } from "../../src/promotion/ledger.ts";
import { createWaitingRoom } from "../../src/round/waiting.ts";
import { sweep } from "../../src/sweep/sweep.ts";
import { expectLinear, headOf, historyOf, rootCopyOf } from "../books.ts";
import {
  bucket,
  context,
  createStore,
  decisionOf,
  eventOf,
  patienceFor,
  storeCandidate,
} from "../builders.ts";
import { createDyingStore, Death } from "../dying-store.ts";
import { gru, lstm, startEval } from "./start-eval.ts";

const HOUR_MS = 3_600_000;

test("a round that lacks a model waits until its time is over, and goes on with the rest then", async () => {
  const store = await createStore();
  const clock = createManualClock();
  await storeCandidate(store, lstm);
  const { deps, published, handle } = startEval(store, clock);
  expect(await handle(lstm)).toEqual([]);
  for (let minutes = 0; minutes < 59; minutes++) {
    await sweep(deps, context.signal);
    await clock.advance(60_000);
  }
  expect(published).toEqual([]);
  await clock.advance(60_000);
  await sweep(deps, context.signal);
  expect(published).toMatchObject([{ topic: "model-selected", value: { epoch: 1, model_type: "LSTM" } }]);
  await sweep(deps, context.signal);
  expect(published).toHaveLength(1);
  expect(await store.head({ bucket, key: keys.waiting(eventOf(lstm).round) })).toBeNull();
});

test("with EXPECTED_INCOMPLETE=hold the champion stays, and the decision says for want of whom", async () => {
  const store = await createStore();
  const clock = createManualClock();
  await storeCandidate(store, lstm);
  const { deps, published, handle } = startEval(store, clock, { incomplete: "hold" });
  await handle(lstm);
  await sweep(deps, context.signal);
  await clock.advance(HOUR_MS);
  await sweep(deps, context.signal);
  expect(published).toEqual([]);
  expect(await headOf(store)).toBeNull();
  const [decision] = await decisions(store);
  expect(decision).toMatchObject({
    verdict: "held",
    held_for: ["GRU"],
    reason: expect.stringContaining("for want of GRU"),
  });
});

test("a family whose training failed is waited for as long as that is set, and its retraining counts", async () => {
  const store = await createStore();
  const clock = createManualClock();
  const patience = { ...patienceFor(["GRU", "LSTM"]), failedWaitMs: HOUR_MS };
  const { deps, published, handle } = startEval(store, clock, { patience });
  await storeCandidate(store, lstm);
  await storeCandidate(store, { ...gru, status: "FAILED" });
  expect(await handle({ ...gru, status: "FAILED" })).toEqual([]);
  await sweep(deps, context.signal);
  await storeCandidate(store, { ...gru, nonce: "2" });
  expect(await handle({ ...gru, nonce: "2" })).toHaveLength(1);
  await clock.advance(HOUR_MS);
  await sweep(deps, context.signal);
  expect(published).toEqual([]);
});

test("a model that comes after its round was decided makes a decision of its own", async () => {
  const store = await createStore();
  const clock = createManualClock();
  await storeCandidate(store, lstm);
  const { deps, handle } = startEval(store, clock);
  await handle(lstm);
  await sweep(deps, context.signal);
  await clock.advance(HOUR_MS);
  await sweep(deps, context.signal);
  await storeCandidate(store, gru);
  expect(await handle(gru)).toMatchObject([{ value: { epoch: 2, model_type: "GRU" } }]);
});

test("the event of a round that was decided at its deadline, when it comes again, publishes the same", async () => {
  const store = await createStore();
  const clock = createManualClock();
  await storeCandidate(store, lstm);
  const { deps, published, handle } = startEval(store, clock);
  await handle(lstm);
  await sweep(deps, context.signal);
  await clock.advance(HOUR_MS);
  await sweep(deps, context.signal);
  expect(await handle(lstm)).toEqual(published);
  expect(await historyOf(store)).toHaveLength(1);
});

test("restarts lose no waited time but that since the last sweep", async () => {
  const store = await createStore();
  const clock = createManualClock();
  await storeCandidate(store, lstm);
  await startEval(store, clock).handle(lstm);
  const published: Emission[] = [];
  for (let life = 0; life < 6; life++) {
    const another = startEval(store, clock);
    for (let sweeps = 0; sweeps < 11; sweeps++) {
      await sweep(another.deps, context.signal);
      await clock.advance(60_000);
    }
    published.push(...another.published);
  }
  expect(published).toHaveLength(1);
});

test.each([HOUR_MS, -HOUR_MS])("a wall clock that is set by %d ms changes no deadline", async (stepMs) => {
  const store = await createStore();
  const clock = createManualClock();
  await storeCandidate(store, lstm);
  const { deps, published, handle } = startEval(store, clock);
  await handle(lstm);
  for (let minutes = 0; minutes < 59; minutes++) {
    await sweep(deps, context.signal);
    await clock.advance(60_000);
    if (minutes === 7) clock.setWallClock(clock.now() + stepMs);
  }
  expect(published).toEqual([]);
  await clock.advance(60_000);
  await sweep(deps, context.signal);
  expect(published).toHaveLength(1);
});

test("several evals that sweep count no time twice", async () => {
  const store = await createStore();
  const clock = createManualClock();
  await storeCandidate(store, lstm);
  const evals = [startEval(store, clock), startEval(store, clock), startEval(store, clock)];
  await evals[0]?.handle(lstm);
  for (let minutes = 0; minutes < 55; minutes++) {
    for (const { deps } of evals) await sweep(deps, context.signal);
    await clock.advance(60_000);
  }
  const waited = await createWaitingRoom(store, bucket, clock).find(eventOf(lstm).round);
  expect(waited?.waited_ms).toBe(54 * 60_000);
  expect(evals.flatMap(({ published }) => published)).toEqual([]);
});

test("a round whose last event was lost is decided all the same", async () => {
  const store = await createStore();
  const clock = createManualClock();
  await storeCandidate(store, lstm);
  const { deps, published, handle } = startEval(store, clock);
  await handle(lstm);
  await storeCandidate(store, gru);
  await sweep(deps, context.signal);
  expect(published).toHaveLength(1);
});

test("a sweep killed at any of its calls, and started again, decides a waiting round exactly once", async () => {
  for (const moment of ["before", "after"] as const)
    for (let nth = 1; ; nth++) {
      const store = await createStore();
      const clock = createManualClock();
      await storeCandidate(store, lstm);
      await startEval(store, clock).handle(lstm);
      await storeCandidate(store, gru);
      const dying = createDyingStore(store, nth, moment);
      const doomed = startEval(dying.store, clock);
      let died = false;
      const log = {
        ...doomed.deps.log,
        error: (_: unknown, error: unknown) => void (died ||= error instanceof Death),
      };
      await sweep({ ...doomed.deps, log }, context.signal);
      const { deps, published } = startEval(store, clock);
      await sweep(deps, context.signal);
      const head = await headOf(store);
      for (const { value } of [...doomed.published, ...published]) expect(value).toEqual(head);
      expect([...doomed.published, ...published].length, `${moment} call ${nth}`).toBeGreaterThan(0);
      expect(await historyOf(store)).toHaveLength(1);
      await expectLinear(store);
      expect(await store.head({ bucket, key: keys.waiting(eventOf(lstm).round) })).toBeNull();
      if (!died) break;
    }
});

test("a copy at the root that is gone is written again", async () => {
  const store = await createStore();
  const promoted = await createLedger(store, bucket).promote(decisionOf(lstm, 0));
  await store.remove({ bucket, key: keys.rootHead });
  await sweep(startEval(store, createManualClock()).deps, context.signal);
  expect(await rootCopyOf(store)).toEqual(promoted);
});

async function decisions(store: ObjectStore): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for await (const { key } of store.list(bucket, "decisions/"))
    found.push(JSON.parse(Buffer.from((await store.get({ bucket, key }))!.bytes).toString()));
  return found;
}
