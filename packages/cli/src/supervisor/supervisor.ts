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
  /** Stops everything at once. From then on `start` and `run` throw: what they started nobody would stop. */
  stop(): Promise<void>;
}

export function createSupervisor(deps: SupervisorDeps): Supervisor {
  const started: (Supervised | Job)[] = [];
  const fatal = Promise.withResolvers<never>();
  fatal.promise.catch(() => undefined); // Whoever awaits it hears of it.
  let stopping = false;
  const remember = <Process extends Supervised | Job>(begin: () => Process): Process => {
    if (stopping) throw new Error("the tree is being taken down");
    const process = begin();
    started.push(process);
    return process;
  };
  return {
    start: (spec) => remember(() => superviseService(spec, deps, (error) => fatal.reject(error))),
    run: (spec) => remember(() => runJob(spec, deps)),
    fatal: fatal.promise,
    async stop() {
      stopping = true;
      await Promise.all(started.splice(0).map((process) => process.stop()));
    },
  };
}
