import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A process to be: a module that Node runs, under a name of its own in this tree. */
export interface ProcessSpec {
  /** Unique within the tree, such as `train-lstm`; its log file is named for it. */
  readonly name: string;
  /** What `import.meta.resolve` takes, such as `@flts/train/main`. */
  readonly module: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Options of Node and V8, before those that the user's `NODE_OPTIONS` has. */
  readonly nodeOptions?: string;
}

export interface ProcessExit {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
}

export interface RunningProcess {
  readonly pid: number | undefined;
  /** Resolves when the process has ended and all its lines were heard; never rejects. */
  readonly exited: Promise<ProcessExit>;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

/** Starts a process; every line it writes on either output goes to `onLine`. */
export type Spawn = (spec: ProcessSpec, onLine: (line: string) => void) => RunningProcess;

/** Starts real processes. They hold a pipe from us as their standard input, and end when it closes: even `kill -9` takes them along. */
export function createSpawn(environment: Readonly<Record<string, string | undefined>>): Spawn {
  return (spec, onLine) => {
    const nodeOptions = [spec.nodeOptions, environment["NODE_OPTIONS"]].filter(Boolean).join(" ");
    const child = spawn(
      process.execPath,
      [...process.execArgv, fileURLToPath(import.meta.resolve(spec.module))],
      {
        env: { ...environment, ...spec.environment, NODE_OPTIONS: nodeOptions, FLTS_PARENT: "1" },
        stdio: ["pipe", "pipe", "pipe"],
      },
    );
    child.stdin.on("error", () => undefined); // It has ended; `close` will say so.
    for (const output of [child.stdout, child.stderr])
      createInterface({ input: output, crlfDelay: Number.POSITIVE_INFINITY }).on("line", onLine);
    const exited = new Promise<ProcessExit>((resolve) => {
      child.once("error", (error) => {
        onLine(error.message);
        resolve({ code: 1, signal: null });
      });
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
    return { pid: child.pid, exited, kill: (signal) => void child.kill(signal) };
  };
}
