import { backOff, defaultRetryPolicy } from "@flts/common/stage/verdict";
import { type ObservedProcess, observe } from "./observed-process.ts";
import type { ProcessSpec } from "./spawn.ts";
import type { SupervisorDeps } from "./supervised.ts";

const restartPolicy = { ...defaultRetryPolicy, initialMs: 250, maxMs: 10_000 };

export interface Job {
  readonly name: string;
  /** Resolves when the process has ended well. Rejects with its own reason, or with that of `stop`. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Runs a process that ends by itself. One that was killed is started again: it said nothing, so nothing is known to be wrong. One that ended
 * with a failure of its own has given its reason, and would give it again.
 */
export function runJob(spec: ProcessSpec, deps: SupervisorDeps): Job {
  const stopping = new AbortController();
  let present: ObservedProcess | undefined;

  const live = async (): Promise<void> => {
    for (let attempt = 1; !stopping.signal.aborted; attempt++) {
      present = observe(deps.spawn, spec, deps);
      const exit = await present.exited;
      if (exit.code === 0) return;
      if (stopping.signal.aborted) break;
      const failure = present.failure(exit);
      if (exit.signal === null) throw failure;
      const delayMs = backOff({ attempt, jitter: deps.random.next() }, restartPolicy);
      deps.onRestart(spec.name, failure.message, delayMs);
      await deps.clock.sleep(delayMs, stopping.signal);
    }
    throw stopping.signal.reason;
  };
  const done = live();
  done.catch(() => undefined); // Whoever awaits it hears of it.

  return {
    name: spec.name,
    done,
    async stop() {
      stopping.abort();
      await present?.end(deps.clock);
      await done.catch(() => undefined);
    },
  };
}
