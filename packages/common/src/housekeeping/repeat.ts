import type { Clock } from "../ports/clock.ts";

export interface Repetition {
  /** Ends the task in hand and does it no more. */
  stop(): Promise<void>;
}

/** Does a task now, and again `everyMs` after it has ended. A failure is told to `onError` and keeps it from nothing. */
export function repeat(
  {
    clock,
    everyMs,
    onError,
  }: {
    readonly clock: Clock;
    readonly everyMs: number;
    readonly onError: (error: unknown) => void;
  },
  task: (signal: AbortSignal) => Promise<void>,
): Repetition {
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await task(stopping.signal);
      } catch (error) {
        if (!stopping.signal.aborted) onError(error);
      }
      await clock.sleep(everyMs, stopping.signal);
    }
  };
  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
