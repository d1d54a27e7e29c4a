import { FltsError } from "@flts/common/contracts/errors";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import type { Logger } from "@flts/common/service/logger";
import { backOff, defaultRetryPolicy } from "@flts/common/stage/verdict";
import type { TrainDeps } from "./train-once.ts";

/**
 * The tracker as a finished training needs it: what belongs to the run is written again for as long as time alone can mend what fails. Trying the message again
 * would be training again. When `signal` aborts, the last fault is thrown.
 */
export function patientTracker(
  { tracker, clock, random }: Pick<TrainDeps, "tracker" | "clock" | "random">,
  log: Logger,
  signal: AbortSignal,
): RunTracker {
  const persist = async (write: () => Promise<void>): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof FltsError) || error.kind !== "retryable") throw error;
        log.error("train_tracker_away", error, { attempt });
        await clock.sleep(backOff({ attempt, jitter: random.next() }, defaultRetryPolicy), signal);
        if (signal.aborted) throw error;
      }
    }
  };
  return {
    ...tracker,
    logParams: (runId, params) => persist(() => tracker.logParams(runId, params)),
    logMetrics: (runId, points) => persist(() => tracker.logMetrics(runId, points)),
    putArtifact: (runId, path, bytes) => persist(() => tracker.putArtifact(runId, path, bytes)),
  };
}
