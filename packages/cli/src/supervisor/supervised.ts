import type { Clock } from "@flts/common/ports/clock";
import type { Random } from "@flts/common/ports/random";
import { backOff, defaultRetryPolicy } from "@flts/common/stage/verdict";
import { type LogLine, numberField, portOf } from "./log-line.ts";
import { EX_CONFIG, type Listeners, type ObservedProcess, observe } from "./observed-process.ts";
import type { ProcessSpec, Spawn } from "./spawn.ts";

/** What supervising needs of the world. */
export interface SupervisorDeps extends Listeners {
  readonly spawn: Spawn;
  readonly clock: Clock;
  readonly random: Random;
  /** A process has died and comes back after the delay. */
  readonly onRestart: (name: string, reason: string, delayMs: number) => void;
}

/** Delays between restarts. */
const restartPolicy = { ...defaultRetryPolicy, initialMs: 250, maxMs: 10_000 };

/** A process that lived this long was well: the next death is its first again. */
const FORGET_AFTER_MS = 30_000;

/** A process that is started again whenever it dies, until it is stopped. */
export interface Supervised {
  readonly name: string;
  /** The line `service_ready` of its first life. Rejects when it is configured wrongly, or stopped before. */
  readonly ready: Promise<LogLine>;
  /** Process id of the present life. */
  pid(): number | undefined;
  /** Resolves when the process has ended. */
  stop(): Promise<void>;
}

/**
 * Keeps a service running: no restart needs a human (promise P8). Only a wrong configuration is final; `onFatal` is told of it.
 * The ports it got at first it keeps, so that its addresses stay valid.
 */
export function superviseService(
  spec: ProcessSpec,
  deps: SupervisorDeps,
  onFatal: (error: Error) => void,
): Supervised {
  const stopping = new AbortController();
  const ready = Promise.withResolvers<LogLine>();
  ready.promise.catch(() => undefined); // Whoever awaits it hears of it.
  let present: ObservedProcess | undefined;
  let { environment } = spec;

  const onLine = (name: string, line: LogLine): void => {
    deps.onLine(name, line);
    if (line.event !== "service_ready") return;
    environment = { ...environment, ...portsOf(line) };
    ready.resolve(line);
  };

  const live = async (): Promise<void> => {
    for (let attempt = 1; !stopping.signal.aborted; attempt++) {
      const born = deps.clock.monotonicMs();
      present = observe(deps.spawn, { ...spec, environment }, { onText: deps.onText, onLine });
      const exit = await present.exited;
      if (stopping.signal.aborted) break;
      const failure = present.failure(exit);
      if (exit.code === EX_CONFIG) {
        ready.reject(failure);
        return onFatal(failure);
      }
      if (deps.clock.monotonicMs() - born > FORGET_AFTER_MS) attempt = 1;
      const delayMs = backOff({ attempt, jitter: deps.random.next() }, restartPolicy);
      deps.onRestart(spec.name, failure.message, delayMs);
      await deps.clock.sleep(delayMs, stopping.signal);
    }
    ready.reject(stopping.signal.reason);
  };
  const life = live();

  return {
    name: spec.name,
    ready: ready.promise,
    pid: () => present?.pid,
    async stop() {
      stopping.abort();
      await present?.end(deps.clock);
      await life;
    },
  };
}

function portsOf(line: LogLine): Record<string, string> {
  const port = portOf(line);
  const metricsPort = numberField(line, "metricsPort");
  return {
    ...(port === undefined ? {} : { PORT: String(port) }),
    ...(metricsPort === undefined ? {} : { METRICS_PORT: String(metricsPort) }),
  };
}
