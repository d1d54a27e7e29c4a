import type { Clock } from "@flts/common/ports/clock";
import { HttpError } from "@flts/common/service/http";

/**
 * Bounds the work in hand: so many jobs at once, so many more in line, and the rest is told at once when to come back. First come, first served.
 */
export interface Admission {
  /** Does the work when its turn comes. @throws HttpError 429 when the line is full */
  run<T>(work: () => Promise<T>): Promise<T>;
  stats(): AdmissionStats;
}

export interface AdmissionStats {
  /** Jobs waiting for their turn. */
  readonly waiting: number;
  readonly active: number;
  readonly admitted: number;
  readonly refused: number;
  readonly completed: number;
  readonly totalWaitMs: number;
  readonly lastWaitMs: number;
  readonly lastDurationMs: number;
  /** How long the first in line has waited. */
  readonly oldestWaitMs: number;
}

export interface AdmissionOptions {
  readonly maxActive: number;
  /** Jobs active or waiting. */
  readonly maxPending: number;
  readonly clock: Clock;
  /** Told how long each job waited. */
  readonly onWait: (waitMs: number) => void;
}

/** Weight of the newest duration in the running mean. */
const SMOOTHING = 0.1;

export function createAdmission({ maxActive, maxPending, clock, onWait }: AdmissionOptions): Admission {
  const line: { readonly since: number; readonly go: () => void }[] = [];
  let active = 0;
  let admitted = 0;
  let refused = 0;
  let completed = 0;
  let totalWaitMs = 0;
  let lastWaitMs = 0;
  let lastDurationMs = 0;
  let meanDurationMs = 0;

  /** Whole seconds until the line as it is now will have been worked off. */
  const retryAfterSeconds = (): number =>
    Math.max(1, Math.ceil(((active + line.length) * meanDurationMs) / maxActive / 1000));

  async function takeTurn(): Promise<void> {
    const since = clock.monotonicMs();
    if (active < maxActive) active += 1;
    // The turn is handed over by the one that ends, so nobody who comes in between can take it.
    else await new Promise<void>((go) => line.push({ since, go }));
    lastWaitMs = clock.monotonicMs() - since;
    totalWaitMs += lastWaitMs;
    onWait(lastWaitMs);
  }

  function endTurn(): void {
    const next = line.shift();
    if (next === undefined) active -= 1;
    else next.go();
  }

  return {
    async run(work) {
      if (active + line.length >= maxPending) {
        refused += 1;
        throw new HttpError(429, "Server busy, try again", { "retry-after": String(retryAfterSeconds()) });
      }
      admitted += 1;
      await takeTurn();
      const begun = clock.monotonicMs();
      try {
        return await work();
      } finally {
        lastDurationMs = clock.monotonicMs() - begun;
        meanDurationMs += (lastDurationMs - meanDurationMs) * (completed === 0 ? 1 : SMOOTHING);
        completed += 1;
        endTurn();
      }
    },
    stats: () => ({
      waiting: line.length,
      active,
      admitted,
      refused,
      completed,
      totalWaitMs,
      lastWaitMs,
      lastDurationMs,
      oldestWaitMs: line[0] === undefined ? 0 : clock.monotonicMs() - line[0].since,
    }),
  };
}
