import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Timing {
  readonly seconds: number;
  /** Of all threads together: steadier than the clock on a busy machine. */
  readonly cpuSeconds: number;
}

/** PyTorch in a process of its own, one epoch at a time. */
export interface Peer {
  readonly version: string;
  epoch(): Promise<Timing>;
  close(): void;
}

/** Starts PyTorch on the same workload, or answers with undefined where there is none. */
export async function startPeer(
  python: string | undefined,
  cell: string,
  threads: number,
): Promise<Peer | undefined> {
  if (!python) return undefined;
  const script = fileURLToPath(new URL("torch_peer.py", import.meta.url));
  const child = spawn(python, [script, cell, String(threads)], { stdio: ["pipe", "pipe", "ignore"] });
  child.on("error", () => {});
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
