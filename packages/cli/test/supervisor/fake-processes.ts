import type { ProcessExit, ProcessSpec, Spawn } from "@flts/cli/supervisor/spawn";

/** One life of a fake process: it says and does only what a test tells it to. */
export interface FakeProcess {
  readonly spec: ProcessSpec;
  readonly signals: string[];
  say(line: object | string): void;
  exit(exit: Partial<ProcessExit>): void;
}

export interface FakeProcesses {
  readonly spawn: Spawn;
  /** Every process ever started, in order. */
  readonly started: FakeProcess[];
  /** Resolves with the n-th process ever started, counted from 0. */
  nth(index: number): Promise<FakeProcess>;
}

export interface FakeOptions {
  /** Whether SIGTERM ends a process, as it should. */
  readonly obedient?: boolean;
}

export function createFakeProcesses({ obedient = true }: FakeOptions = {}): FakeProcesses {
  const started: FakeProcess[] = [];
  const waiting = new Set<() => void>();
  const spawn: Spawn = (spec, onLine) => {
    const exited = Promise.withResolvers<ProcessExit>();
    const signals: string[] = [];
    const exit = ({ code = null, signal = null }: Partial<ProcessExit>): void =>
      exited.resolve({ code, signal });
    started.push({
      spec,
      signals,
      say: (line) => onLine(typeof line === "string" ? line : JSON.stringify(line)),
      exit,
    });
    for (const wake of waiting) wake();
    return {
      pid: started.length,
      exited: exited.promise,
      kill(signal) {
        signals.push(signal);
        if (obedient || signal === "SIGKILL")
          exit({ code: signal === "SIGKILL" ? null : 0, signal: signal === "SIGKILL" ? signal : null });
      },
    };
  };
  const nth = (index: number): Promise<FakeProcess> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = started[index];
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { spawn, started, nth };
}
