import { type Job, runJob } from "./job.ts";
import type { ProcessSpec } from "./spawn.ts";
import { type Supervised, type SupervisorDeps, superviseService } from "./supervised.ts";

/** A tree of processes that lives and ends as one. */
export interface Supervisor {
  /** Starts a service and keeps it running. */
  start(spec: ProcessSpec): Supervised;
  /** Starts a process that ends by itself. */
  run(spec: ProcessSpec): Job;
  /** Never resolves; rejects when a service is configured wrongly, which ends everything. */
  readonly fatal: Promise<never>;
  /** Stops everything, the last started first. */
  stop(): Promise<void>;
}

export function createSupervisor(deps: SupervisorDeps): Supervisor {
  const started: (Supervised | Job)[] = [];
  const fatal = Promise.withResolvers<never>();
  fatal.promise.catch(() => undefined); // Whoever awaits it hears of it.
  const remember = <Process extends Supervised | Job>(process: Process): Process => {
    started.push(process);
    return process;
  };
  return {
    start: (spec) => remember(superviseService(spec, deps, (error) => fatal.reject(error))),
    run: (spec) => remember(runJob(spec, deps)),
    fatal: fatal.promise,
    async stop() {
      for (const process of started.splice(0).toReversed()) await process.stop();
    },
  };
}
