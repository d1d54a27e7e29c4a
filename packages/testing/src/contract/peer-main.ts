import process from "node:process";
import { logTasks } from "./log-tasks.ts";
import type { PeerOrder } from "./peer.ts";
import { storeTasks } from "./store-tasks.ts";

/** What a task knows of the test that started it. */
export interface PeerContext<Port> {
  readonly port: Port;
  readonly input: unknown;
  report(report: unknown): void;
  /** Aborts when the test has seen enough. */
  readonly signal: AbortSignal;
}

const tasks: Readonly<Record<string, (context: PeerContext<never>) => Promise<void>>> = {
  ...storeTasks,
  ...logTasks,
};

const ended = new AbortController();

process.on("message", (message) => {
  if (message === "end") ended.abort();
  else void run(message as PeerOrder);
});
// A peer whose test is gone has nobody to work for.
process.on("disconnect", () => process.exit());

async function run({ opener, task, input }: PeerOrder): Promise<void> {
  const work = tasks[task];
  if (!work) throw new Error(`There is no task ${task}`);
  const { open } = (await import(opener.module)) as { open(settings: unknown): Promise<never> };
  const port: { close(): Promise<void> } = await open(opener.settings);
  await work({
    port: port as never,
    input,
    report: (report) => process.send?.(report),
    signal: ended.signal,
  });
  await port.close();
  process.disconnect();
}
