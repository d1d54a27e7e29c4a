import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Backends, backendSettings, connectBackends } from "@flts/backends/connect";
import { modelTraining } from "@flts/common/contracts/events";
import { parseEvent } from "@flts/common/contracts/topic";
import { loadConfig } from "@flts/common/service/config";
import { fetchArtifact } from "@flts/families/artifact";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { sliceRows } from "@flts/forecasting/table/table";
import { afterEach, beforeEach, expect, test } from "vitest";

/** Real processes on the embedded backends: a trainer, its child, or both are killed in the middle of an epoch. */

let home: string;
let backends: Backends;
const running = new Set<ChildProcess>();

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "flts-mid-training-"));
  backends = await connectBackends(loadConfig(backendSettings, { FLTS_HOME: home }));
  const station = synthesizeStation({ seed: 5, rows: 1_500, startMs: Date.UTC(2024, 0, 8) });
  await backends.store.ensureBucket("dataset");
  for (const [key, from, to] of [
    ["a.csv", 0, 1_200],
    ["a_test.csv", 1_200, 1_500],
  ] as const)
    await backends.store.put({ bucket: "dataset", key }, Buffer.from(toCsv(sliceRows(station, from, to))));
  await start("preprocess", { DATASET_NAME: "a" }).ended;
});

afterEach(async () => {
  for (const child of running) child.kill("SIGKILL");
  await backends.close();
  rmSync(home, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  /** Resolves with the first log line of that event that satisfies the condition. */
  line(
    event: string,
    matches?: (fields: Record<string, unknown>) => boolean,
  ): Promise<Record<string, unknown>>;
}

function start(service: string, environment: Record<string, string>): Started {
  const child = spawn(
    process.execPath,
    ["--conditions=source", join("services", service, "src", "main.ts")],
    {
      env: {
        ...process.env,
        FLTS_HOME: home,
        METRICS_PORT: "0",
        HOST: "127.0.0.1",
        EMBEDDED_LOG_LEASE_MS: "500",
        ...environment,
      },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  running.add(child);
  const lines: Record<string, unknown>[] = [];
  const listeners = new Set<() => void>();
  createInterface({ input: child.stdout! }).on("line", (text) => {
    lines.push(JSON.parse(text) as Record<string, unknown>);
    for (const listener of listeners) listener();
  });
  return {
    child,
    ended: new Promise((resolve) => {
      child.once("exit", () => {
        running.delete(child);
        resolve();
      });
    }),
    line: (event, matches = () => true) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = lines.find((line) => line["event"] === event && matches(line));
          if (found === undefined) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
      }),
  };
}

const trainer = (environment: Record<string, string> = {}) =>
  start("train", {
    MODEL_TYPE: "LSTM",
    HIDDEN_SIZE: "32",
    NUM_LAYERS: "1",
    EPOCHS: "60",
    LEARNING_RATE: "0.003",
    ...environment,
  });

const childOf = ({ child }: Started): number =>
  Number(
    execFileSync("pgrep", ["-P", String(child.pid)], { encoding: "utf8" })
      .trim()
      .split("\n")[0],
  );

const inMidTraining = (process: Started) => process.line("train_progress", ({ epoch }) => Number(epoch) >= 3);

/** What is in the store, the log and the tracker afterwards: one candidate, its artifact whole, one closed run of it, the rest superseded. */
async function audit(): Promise<void> {
  const candidates: string[] = [];
  for await (const { key } of backends.store.list("model-promotion", "candidates/")) candidates.push(key);
  expect(candidates).toHaveLength(1);
  const outcomes = new Set<string>();
  for await (const { value } of backends.log.browse(modelTraining.name)) {
    const event = parseEvent(modelTraining, value);
    if (event.status !== "RUNNING") outcomes.add(`${event.status} ${String(event.run_id)}`);
  }
  expect(outcomes.size).toBe(1);
  const [outcome] = outcomes;
  expect(outcome).toMatch(/^SUCCESS /);
  const runId = outcome?.split(" ")[1] ?? "";
  const { manifest } = await fetchArtifact(backends.tracker, { runId, family: "LSTM", manifestSha256: null });
  expect(manifest.family).toBe("LSTM");
  const runs = await backends.tracker.findRuns("Default", {});
  expect(runs.map(({ status }) => status).toSorted()).toEqual([
    "FINISHED",
    ...runs.slice(1).map(() => "KILLED"),
  ]);
}

async function committed(): Promise<boolean> {
  const lag = await backends.log.lag("train-lstm", ["training-data"]);
  return lag.every(({ committed: next, end }) => end === 0n || next === end);
}

test("the training process dies in mid-epoch: the trainer starts another", async () => {
  const process = trainer();
  await inMidTraining(process);
  globalThis.process.kill(childOf(process), "SIGKILL");
  await process.line("message_held");
  await process.line("message_handled");
  await expect.poll(committed).toBe(true);
  await audit();
});

test("the trainer dies in mid-epoch: its training process ends with it, the next trainer trains the claim again", async () => {
  const first = trainer();
  await inMidTraining(first);
  const orphan = childOf(first);
  first.child.kill("SIGKILL");
  await first.ended;
  await expect.poll(() => isAlive(orphan), { timeout: 2_000 }).toBe(false);
  expect(await committed()).toBe(false);
  const second = trainer();
  await second.line("message_handled");
  await expect.poll(committed).toBe(true);
  await audit();
});

test("both die in mid-epoch: the next trainer trains the claim again", async () => {
  const first = trainer();
  await inMidTraining(first);
  for (const pid of [childOf(first), first.child.pid ?? 0]) globalThis.process.kill(pid, "SIGKILL");
  await first.ended;
  const second = trainer();
  await second.line("message_handled");
  await expect.poll(committed).toBe(true);
  await audit();
});

test("of two trainers the one at work dies in mid-epoch: the other takes over within the lease time", async () => {
  const trainers = [trainer({ TRAIN_LEASE_MS: "2000" }), trainer({ TRAIN_LEASE_MS: "2000" })] as const;
  const atWork = await Promise.race(trainers.map(async (each) => inMidTraining(each).then(() => each)));
  const other = trainers[0] === atWork ? trainers[1] : trainers[0];
  await other.line("service_ready");
  atWork.child.kill("SIGKILL");
  await atWork.ended;
  const died = performance.now();
  await other.line("train_start");
  // Half a second until the log has given the partition away, two for the lease; the rest is for a machine with other work.
  expect(performance.now() - died).toBeLessThan(10_000);
  await other.line("message_handled");
  await expect.poll(committed).toBe(true);
  await audit();
});

test("a stopped trainer leaves within a second, without a trace but its open run", async () => {
  const first = trainer();
  await inMidTraining(first);
  const child = childOf(first);
  const begun = performance.now();
  first.child.kill("SIGTERM");
  await expect.poll(() => isAlive(child), { timeout: 1_000, interval: 20 }).toBe(false);
  expect(performance.now() - begun).toBeLessThan(1_000);
  await first.ended;
  expect(first.child.exitCode).toBe(0);
  expect(await committed()).toBe(false);
  const left: string[] = [];
  for await (const { key } of backends.store.list("mlflow", ""))
    if (key.includes("/artifacts/")) left.push(key);
  expect(left).toEqual([]);
});

function isAlive(pid: number): boolean {
  try {
    globalThis.process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
