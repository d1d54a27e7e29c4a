import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Progress } from "@flts/families/family";
import { afterEach, expect, test, vi } from "vitest";
import { type TrainingRun, trainInChild } from "../src/child-runner.ts";
import { endlessWork } from "./endless-work.ts";
import { fitted, work } from "./small-model.ts";

/** Real processes, in all the ways in which they end. */

const run = (changes: Partial<TrainingRun> = {}): TrainingRun => ({
  work,
  limits: { silenceTimeoutMs: 60_000, memoryMaxBytes: 2 ** 40 },
  environment: process.env,
  signal: new AbortController().signal,
  onProgress: () => undefined,
  ...changes,
});

/** An endless training, and a promise of its first sign of life. */
function endless(changes: Partial<TrainingRun> = {}) {
  const begun = Promise.withResolvers<Progress>();
  const ended = trainInChild(run({ work: endlessWork, onProgress: begun.resolve, ...changes }));
  ended.catch(() => undefined); // Whoever awaits it hears of it.
  return { begun: begun.promise, ended };
}

afterEach(async () => {
  const patience = { timeout: 15_000, interval: 50 };
  await vi.waitFor(() => {
    if (childrenOf(process.pid).length > 0) throw new Error("a training process is left behind");
  }, patience);
});

test("a training in a process of its own comes to the same model, files and all", async () => {
  const progress: Progress[] = [];
  const model = await trainInChild(run({ onProgress: (step) => progress.push(step) }));
  expect(model.artifact.manifest).toEqual(fitted.artifact.manifest);
  expect([...model.artifact.files.keys()]).toEqual([...fitted.artifact.files.keys()]);
  for (const [name, bytes] of fitted.artifact.files)
    expect(Buffer.from(model.artifact.files.get(name) ?? []).equals(bytes), name).toBe(true);
  expect({ ...model, artifact: null }).toEqual({ ...fitted, artifact: null });
  expect(progress.at(-1)).toEqual({ fraction: 1 });
});

test.each([
  ["a target that the table lacks", { targets: ["absent"] }, "COLUMN_MISSING", /absent/],
  ["bytes that are no table", { parquet: Buffer.from("x") }, "TABLE_INVALID", /./],
  ["an unknown family", { family: "TETS" }, "MODEL_UNKNOWN", /there are .*LINEAR/],
])("%s is told by its code, as if it had happened here", async (_name, changes, code, message) => {
  await expect(trainInChild(run({ work: { ...work, ...changes } }))).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
    stack: expect.stringMatching(/packages\/(families|forecasting)\//),
  });
});

test("a process that is killed is a crash, which is tried again", async () => {
  const { begun, ended } = endless();
  await begun;
  for (const pid of childrenOf(process.pid)) process.kill(pid, "SIGKILL");
  await expect(ended).rejects.toMatchObject({
    code: "TRAINING_CRASHED",
    kind: "retryable",
    message: expect.stringContaining("SIGKILL"),
  });
});

test("a process that falls silent is ended", async () => {
  const { begun, ended } = endless({ limits: { silenceTimeoutMs: 2_000, memoryMaxBytes: 2 ** 40 } });
  await begun;
  for (const pid of childrenOf(process.pid)) process.kill(pid, "SIGSTOP");
  await expect(ended).rejects.toMatchObject({
    code: "TRAINING_CRASHED",
    message: "training process was silent for 2000 ms",
  });
});

test("a process that outgrows its memory is ended, naming what it held and what it may", async () => {
  const { ended } = endless({ limits: { silenceTimeoutMs: 60_000, memoryMaxBytes: 2 ** 20 } });
  await expect(ended).rejects.toMatchObject({
    code: "TRAINING_CRASHED",
    message: expect.stringMatching(/holds \d{8,} bytes, at most 1048576 are allowed/),
  });
});

test("an abort ends the process at once", async () => {
  const abort = new AbortController();
  const { begun, ended } = endless({ signal: abort.signal });
  await begun;
  const aborted = performance.now();
  abort.abort();
  await expect(ended).rejects.toMatchObject({ code: "TRAINING_CRASHED", message: "training was stopped" });
  await expect.poll(() => childrenOf(process.pid), { interval: 10 }).toEqual([]);
  expect(performance.now() - aborted).toBeLessThan(1_000);
});

test("an abort before the process has begun, or before it was started, leaves no process", async () => {
  const abort = new AbortController();
  const { ended } = endless({ signal: abort.signal });
  abort.abort();
  await expect(ended).rejects.toMatchObject({ code: "TRAINING_CRASHED" });
  await expect(trainInChild(run({ signal: abort.signal }))).rejects.toMatchObject({
    message: "stopped before it began",
  });
});

test("a training process ends with its parent, however that ends", async () => {
  const parent = spawn(
    process.execPath,
    ["--conditions=source", fileURLToPath(new URL("doomed-parent.ts", import.meta.url))],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await once(parent.stdout, "data");
  const [child, ...others] = childrenOf(parent.pid ?? 0);
  expect([child, others]).toEqual([expect.any(Number), []]);
  parent.kill("SIGKILL");
  await expect.poll(() => isAlive(child ?? 0), { timeout: 5_000 }).toBe(false);
});

function childrenOf(parent: number): number[] {
  const listing = spawnedProcesses();
  return listing.filter(([, ppid]) => ppid === parent).map(([pid]) => pid);
}

/** Process and parent ids, without `ps` itself and what has ended but was not waited for. */
function spawnedProcesses(): (readonly [pid: number, ppid: number])[] {
  return execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat=,comm="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , state, command]) => !state?.startsWith("Z") && command !== "ps")
    .map(([pid, ppid]) => [Number(pid), Number(ppid)]);
}

function isAlive(pid: number): boolean {
  return spawnedProcesses().some(([other]) => other === pid);
}
