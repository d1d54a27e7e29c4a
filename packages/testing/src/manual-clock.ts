import type { Clock } from "@flts/common/ports/clock";

export interface ManualClock extends Clock {
  /** Lets `ms` pass: wakes sleepers in the order of their times, and lets each go on before the next one wakes. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock, as an administrator does; sleepers and the monotonic clock do not notice. */
  setWallClock(nowMs: number): void;
  /** How many sleepers wait at present. */
  sleeping(): number;
}

/** A clock that stands still until it is told to move. `startMs` is its wall clock at first, milliseconds since 1970 UTC. */
export function createManualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let elapsedMs = 0;
  let wallOffsetMs = startMs;
  const sleepers = new Set<{ readonly wakeAt: number; readonly wake: () => void }>();

  const nextSleeper = (until: number) => {
    let first: { readonly wakeAt: number; readonly wake: () => void } | null = null;
    for (const sleeper of sleepers) {
      if (sleeper.wakeAt <= until && (first === null || sleeper.wakeAt < first.wakeAt)) first = sleeper;
    }
    return first;
  };

  return {
    now: () => wallOffsetMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true || ms <= 0) return resolve();
        const wake = (): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        const sleeper = { wakeAt: elapsedMs + ms, wake };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", wake, { once: true });
      }),
    advance: async (ms) => {
      const until = elapsedMs + ms;
      await settled();
      for (let next = nextSleeper(until); next !== null; next = nextSleeper(until)) {
        elapsedMs = next.wakeAt;
        next.wake();
        await settled();
      }
      elapsedMs = until;
    },
    setWallClock: (nowMs) => {
      wallOffsetMs = nowMs - elapsedMs;
    },
    sleeping: () => sleepers.size,
  };
}

/** Resolves when all that could go on without time has gone on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
