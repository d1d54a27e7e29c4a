import { FltsError } from "../contracts/errors.ts";
import type { Clock } from "../ports/clock.ts";
import { reasonOf } from "../stage/reason.ts";
import type { Logger } from "./logger.ts";

const firstPauseMs = 250;
/** What comes back after a long time is noticed so soon. */
const longestPauseMs = 5_000;

/**
 * Does what a process needs before it can begin, again and again while time alone can mend what is in its way: a log, a store or a tracker that is away. Each
 * failure is one line that names what is missing.
 * @param what what is waited for, as the line says it
 * @throws at once what time does not mend; the signal's reason when the process is told to stop meanwhile
 */
export async function untilAvailable<Result>(
  { clock, log, signal }: { readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal },
  what: string,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FltsError) || error.kind !== "retryable") throw error;
      const pauseMs = Math.min(firstPauseMs * 2 ** (attempt - 1), longestPauseMs);
      log.warn("service_waiting", {
        waiting_for: what,
        code: error.code,
        error: reasonOf(error),
        attempt,
        retry_ms: pauseMs,
      });
      await clock.sleep(pauseMs, signal);
    }
  }
}
