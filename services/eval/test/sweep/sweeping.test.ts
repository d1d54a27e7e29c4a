import { keys } from "@flts/common/contracts/layout";
import { createManualClock } from "@flts/testing/manual-clock";
import { expect, test, vi } from "vitest";
import type { EvalDeps } from "../../src/eval-stage.ts";
import { type SweepDeps, startSweeping, sweep } from "../../src/sweep/sweep.ts";
import { bucket, context, createStore, eventOf, storeCandidate } from "../builders.ts";
import { gru, lstm, startEval } from "./start-eval.ts";

/** What one part of a sweep may do to the others, and how sweeping begins and ends. */

test("one round that cannot be judged keeps no other from its decision", async () => {
  const store = await createStore();
  const clock = createManualClock();
  const first = { round: "broken", family: "LSTM" };
  for (const training of [first, lstm]) await storeCandidate(store, training);
  const { deps, published, handle } = startEval(store, clock);
  for (const training of [first, lstm]) await handle(training);
  for (const training of [{ ...gru, round: "broken" }, gru]) await storeCandidate(store, training);
  const judgeRound = vi.fn<EvalDeps["judgeRound"]>(async (candidates, champion) => {
    if (candidates[0]?.round === eventOf(first).round) throw new Error("cannot be read");
    return deps.judgeRound(candidates, champion);
  });
  await sweep({ ...deps, judgeRound }, context.signal);
  expect(published).toHaveLength(1);
  await sweep(deps, context.signal);
  expect(published).toHaveLength(2);
});

test("sweeping goes on by its interval, at once when it is woken, and not after it was stopped", async () => {
  const clock = createManualClock();
  const onWaiting = vi.fn<SweepDeps["onWaiting"]>();
  const sweeping = startSweeping({ ...startEval(await createStore(), clock).deps, onWaiting }, 5_000);
  await expect.poll(() => clock.sleeping()).toBe(1);
  expect(onWaiting).toHaveBeenCalledTimes(1);
  await clock.advance(5_000);
  await expect.poll(() => onWaiting).toHaveBeenCalledTimes(2);
  sweeping.wake();
  await expect.poll(() => onWaiting).toHaveBeenCalledTimes(3);
  await sweeping.stop();
  expect(clock.sleeping()).toBe(0);
});

test("a waiting round whose object cannot be understood keeps no other from its decision", async () => {
  const store = await createStore();
  const clock = createManualClock();
  await store.put({ bucket, key: keys.waiting("0".repeat(64)) }, Buffer.from('{"v":2}'));
  await storeCandidate(store, lstm);
  const { deps, published, handle } = startEval(store, clock);
  await handle(lstm);
  await storeCandidate(store, gru);
  await sweep(deps, context.signal);
  expect(published).toHaveLength(1);
});

test("told to stop it decides no further round, and leaves those that wait to the next process", async () => {
  const store = await createStore();
  const clock = createManualClock();
  const rounds = ["a", "b"].map((round) => ({ round, family: "LSTM" }));
  const { deps, published, handle } = startEval(store, clock);
  for (const training of rounds) {
    await storeCandidate(store, training);
    await handle(training);
    await storeCandidate(store, { ...training, family: "GRU" });
  }
  const stopping = new AbortController();
  const publish: SweepDeps["publish"] = async (emissions) => {
    stopping.abort();
    await deps.publish(emissions);
  };
  await sweep({ ...deps, publish }, stopping.signal);
  expect(published).toHaveLength(1);
  await sweep(deps, context.signal);
  expect(published).toHaveLength(2);
});
