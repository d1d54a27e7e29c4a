import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";

/** Processes of the lanes. Told to stop (Ctrl-C, SIGTERM), each ends with all that it started, and what must be cleaned up is. */

export type Environment = Readonly<Record<string, string | undefined>>;

interface Options {
  readonly environment?: Environment;
  /** A file that takes what is printed; the terminal when not given. */
  readonly output?: string;
  /** Runs although we are told to stop: it cleans up. */
  readonly uninterrupted?: boolean;
}

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopping.abort());

/** Whether we were told to stop. */
export const isStopping = (): boolean => stopping.signal.aborted;

const PATIENCE_MS = 15_000;

/** Runs a program to its end. @returns whether it ended with code 0 */
export async function execute(
  program: string,
  parameters: readonly string[],
  { environment = process.env, output, uninterrupted = false }: Options = {},
): Promise<boolean> {
  if (isStopping() && !uninterrupted) return false;
  const target = output === undefined ? ("inherit" as const) : openSync(output, "a");
  // A group of its own: a signal from us reaches whatever it started, and none from the terminal reaches a process that cleans up.
  const child = spawn(program, parameters, {
    detached: true,
    env: environment,
    stdio: ["ignore", target, target],
  });
  if (typeof target === "number") closeSync(target);
  return (await endOf(child, uninterrupted)) === 0;
}

/** Runs a program to its end. @returns its standard output, or null when it did not end with code 0 */
export async function read(
  program: string,
  parameters: readonly string[],
  environment: Environment,
): Promise<string | null> {
  if (isStopping()) return null;
  const child = spawn(program, parameters, {
    detached: true,
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return (await endOf(child, false)) === 0 ? text : null;
}

async function endOf(child: ChildProcess, uninterrupted: boolean): Promise<number | null> {
  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-(child.pid ?? 0), signal);
    } catch {
      // It has ended.
    }
  };
  let deadline: NodeJS.Timeout | undefined;
  const stop = (): void => {
    signalGroup("SIGTERM");
    deadline = setTimeout(() => signalGroup("SIGKILL"), PATIENCE_MS);
  };
  if (!uninterrupted) stopping.signal.addEventListener("abort", stop, { once: true });
  try {
    return await new Promise((resolve) => {
      child.once("error", (error) => {
        console.error(error.message);
        resolve(null);
      });
      child.once("close", resolve);
    });
  } finally {
    clearTimeout(deadline);
    stopping.signal.removeEventListener("abort", stop);
  }
}
