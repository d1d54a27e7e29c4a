import { expect, test } from "vitest";
import { createSystemClock } from "../src/system-clock.ts";

const clock = createSystemClock();

test("an aborted sleep ends early, without an error", async () => {
  await expect(clock.sleep(3_600_000, AbortSignal.abort())).resolves.toBeUndefined();
  await expect(clock.sleep(3_600_000, AbortSignal.timeout(1))).resolves.toBeUndefined();
});

test("a sleep of a month does not end at once", async () => {
  const waking = new AbortController();
  const month = clock.sleep(30 * 24 * 3_600_000, waking.signal).then(() => "month");
  expect(await Promise.race([month, clock.sleep(30).then(() => "blink")])).toBe("blink");
  waking.abort();
  await month;
});
