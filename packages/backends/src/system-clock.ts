import { performance } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "@flts/common/ports/clock";

/** Node counts the milliseconds of a timer in 31 bits; one that is set for longer ends at once. */
const longestWaitMs = 2 ** 31 - 1;

/** The machine's own time. */
export const createSystemClock = (): Clock => ({
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      for (let leftMs = Math.max(0, ms); ; leftMs -= longestWaitMs) {
        await wait(Math.min(leftMs, longestWaitMs), undefined, signal ? { signal } : {});
        if (leftMs <= longestWaitMs) return;
      }
    } catch (error) {
      // An aborted sleep ends early and without an error.
      if (signal?.aborted !== true) throw error;
    }
  },
});
