import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface Timing {
  readonly seconds: number;
  /** Of all threads together: steadier than the clock on a busy machine. */
  readonly cpuSeconds: number;
}

/** A process that trains one epoch whenever it is told to. */
export interface Contestant {
  readonly version: string;
  epoch(): Promise<Timing>;
  close(): void;
}

/**
 * Starts a program that prints a line `{"version": …}` and then answers each line on its standard input with the timing of one epoch. Resolves with undefined
 * when it ends before its first line.
 */
export async function startContestant(
  program: string,
  parameters: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<Contestant | undefined> {
  const child = spawn(program, parameters, { stdio: ["pipe", "pipe", "inherit"], env: environment });
  child.on("error", (error) => console.error(error.message));
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const answer = await answers.next();
    return answer.done ? undefined : JSON.parse(answer.value);
  };
  const hello = (await next()) as { readonly version: string } | undefined;
  if (!hello) return undefined;
  return {
    version: hello.version,
    async epoch() {
      child.stdin.write("\n");
      return (await next()) as Timing;
    },
    close: () => void child.stdin.end(),
  };
}
