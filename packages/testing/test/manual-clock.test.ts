import { expect, test } from "vitest";
import { createManualClock } from "../src/manual-clock.ts";

test("stands still until it is told to move", async () => {
  const clock = createManualClock(5000);
  expect([clock.now(), clock.monotonicMs()]).toStrictEqual([5000, 0]);
  await clock.advance(250);
  expect([clock.now(), clock.monotonicMs()]).toStrictEqual([5250, 250]);
});

test("wakes sleepers in the order of their times, each at its own", async () => {
  const clock = createManualClock(0);
  const woken: string[] = [];
  const sleep = async (name: string, ms: number): Promise<void> => {
    await clock.sleep(ms);
    woken.push(`${name} at ${clock.now()}`);
  };
  const all = [sleep("late", 300), sleep("early", 100)];
  await clock.advance(299);
  expect(woken).toStrictEqual(["early at 100"]);
  expect(clock.sleeping()).toBe(1);
  await clock.advance(1);
  await Promise.all(all);
  expect(woken).toStrictEqual(["early at 100", "late at 300"]);
});

test("lets a loop that sleeps again and again go round as often as the time allows", async () => {
  const clock = createManualClock(0);
  const stop = new AbortController();
  let rounds = 0;
  const loop = (async () => {
    for (; !stop.signal.aborted; rounds += 1) await clock.sleep(10, stop.signal);
  })();
  await clock.advance(95);
  expect(rounds).toBe(9);
  stop.abort();
  await loop;
  expect(clock.sleeping()).toBe(0);
});

test("does not sleep when the signal has aborted, and ends without an error when it does", async () => {
  const clock = createManualClock();
  await clock.sleep(1000, AbortSignal.abort());
  const abort = new AbortController();
  const sleeping = clock.sleep(1000, abort.signal);
  abort.abort();
  await sleeping;
  expect(clock.sleeping()).toBe(0);
});

test("lets the wall clock jump without the monotonic one", async () => {
  const clock = createManualClock(0);
  await clock.advance(100);
  clock.setWallClock(5);
  expect([clock.now(), clock.monotonicMs()]).toStrictEqual([5, 100]);
});
