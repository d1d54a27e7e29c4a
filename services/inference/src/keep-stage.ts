import type { Clock } from "@flts/common/ports/clock";
import type { Random } from "@flts/common/ports/random";
import type { RunningStage } from "@flts/common/stage/runner";
import { backOff, defaultRetryPolicy } from "@flts/common/stage/verdict";

/** A stage that is started again whenever it ends: serving goes on without it meanwhile. */
export interface KeptStage {
  /** Whether its group is joined and its log was lately heard. */
  isAlive(): boolean;
  stop(): Promise<void>;
}

export interface KeptStageDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Joins the group; `onFatal` is told when the stage cannot go on. */
  readonly start: (onFatal: (error: unknown) => void) => Promise<RunningStage>;
  /** Told why it could not be started, or ended. */
  readonly onFailure: (error: unknown) => void;
}

/** A group silent for longer has lost its log. */
const MAX_SILENCE_MS = 15_000;

export function keepStage({ clock, random, start, onFailure }: KeptStageDeps): KeptStage {
  const stopping = new AbortController();
  const { signal } = stopping;
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  let stage: RunningStage | null = null;

  async function keep(): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      const lost = Promise.withResolvers<unknown>();
      try {
        stage = await start(lost.resolve);
        attempt = 1;
        const cause = await Promise.race([lost.promise, stopped]);
        if (!signal.aborted) onFailure(cause);
        await stage.stop();
      } catch (error) {
        if (!signal.aborted) onFailure(error);
      } finally {
        stage = null;
      }
      await clock.sleep(backOff({ attempt, jitter: random.next() }, defaultRetryPolicy), signal);
    }
  }

  const keeping = keep();
  return {
    isAlive() {
      const health = stage?.health();
      return health !== undefined && health.joined && health.lastPollAgoMs < MAX_SILENCE_MS;
    },
    async stop() {
      stopping.abort();
      await keeping;
    },
  };
}
