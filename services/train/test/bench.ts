import { storeClaimed } from "@flts/common/claim-check/claim-check";
import { readDocument } from "@flts/common/claim-check/documents";
import { type Candidate, candidate as candidateSchema } from "@flts/common/contracts/candidate";
import type { TrainingClaim } from "@flts/common/contracts/claim";
import { modelTraining, type TrainingEvent, trainingData } from "@flts/common/contracts/events";
import { sha256 } from "@flts/common/contracts/identity";
import { buckets, keys } from "@flts/common/contracts/layout";
import { parseEvent } from "@flts/common/contracts/topic";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Run, RunTracker } from "@flts/common/ports/run-tracker";
import type { Logger } from "@flts/common/service/logger";
import { type DeadLetter, deadLetter, deadLetterTopic } from "@flts/common/stage/dead-letter";
import { type RunningStage, startStage } from "@flts/common/stage/runner";
import type { HandleContext } from "@flts/common/stage/stage";
import { pipelineTopics } from "@flts/common/stage/topics";
import { defaultRetryPolicy } from "@flts/common/stage/verdict";
import { fetchArtifact } from "@flts/families/artifact";
import { familyOf } from "@flts/families/registry";
import { createManualClock, type ManualClock } from "@flts/testing/manual-clock";
import { createMemoryLog, type MemoryLog } from "@flts/testing/memory-log";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { expect } from "vitest";
import type { TrainDeps } from "../src/train-once.ts";
import { trainStage } from "../src/train-stage.ts";
import { fitted, parquet } from "./small-model.ts";

/** A trainer on ports in memory, with a claim on a small table, and what an auditor reads of it afterwards. */
export interface Bench {
  readonly log: MemoryLog;
  readonly store: ObjectStore;
  readonly tracker: RunTracker;
  readonly clock: ManualClock;
  readonly claim: TrainingClaim;
  deps(overrides?: Partial<TrainDeps>): TrainDeps;
  /** A trainer of the group, which hears the claims of the log. */
  start(overrides?: Partial<TrainDeps>): Promise<RunningStage>;
  publish(claim: Record<string, unknown>, headers?: Record<string, string>): Promise<void>;
  events(): Promise<readonly TrainingEvent[]>;
  letters(): Promise<readonly DeadLetter[]>;
  candidates(): Promise<readonly Candidate[]>;
  runs(): Promise<readonly Run[]>;
  /** Whether the group has nothing left to do. */
  isDone(): Promise<boolean>;
}

export const GROUP = "train-linear";
export const LEASE_MS = 10_000;

export const context: HandleContext = {
  signal: new AbortController().signal,
  headers: {},
  attempt: 1,
  publish: () => Promise.resolve(),
};

/** The events that say how trainings ended. */
export const outcomesOf = async (bench: Bench): Promise<readonly TrainingEvent[]> =>
  (await bench.events()).filter(({ status }) => status !== "RUNNING");

export async function createBench(limits: { readonly maxMessageBytes?: number } = {}): Promise<Bench> {
  const clock = createManualClock();
  const log = createMemoryLog({ clock, ...limits });
  const store = createMemoryStore({ clock });
  const random = createSeededRandom(3);
  const tracker = createMemoryTracker({ clock });
  await log.ensureTopics(pipelineTopics(1));
  for (const bucket of [buckets.processed, buckets.promotion]) await store.ensureBucket(bucket);
  const stored = await storeClaimed(
    store,
    buckets.processed,
    (digest) => keys.processedTable("", digest, "processed_data"),
    parquet,
  );
  const claim: TrainingClaim = { ...stored, v: 1, config_hash: "c", identifier: "", round: sha256("round") };
  const deps: Bench["deps"] = (overrides) => ({
    store,
    tracker,
    clock,
    random,
    log: quiet,
    family: familyOf("LINEAR"),
    settings: { INPUT_SEQ_LEN: 10 },
    targets: ["down"],
    nonce: "",
    processedBucket: buckets.processed,
    promotionBucket: buckets.promotion,
    claimMaxBytes: 1024 ** 2,
    leaseMs: LEASE_MS,
    codeVersion: "0.0.0",
    train: async () => fitted,
    ...overrides,
  });
  const messages = async (topic: string): Promise<Uint8Array[]> => {
    const values: Uint8Array[] = [];
    for await (const { value } of log.browse(topic)) values.push(value);
    return values;
  };
  return {
    log,
    store,
    tracker,
    clock,
    claim,
    deps,
    start: (overrides) =>
      startStage(trainStage, {
        log,
        deps: deps(overrides),
        clock,
        random,
        policy: defaultRetryPolicy,
        group: GROUP,
        report: () => undefined,
        onFatal: (error) => {
          throw error;
        },
      }),
    publish: (message, headers = {}) => {
      const value = Buffer.from(JSON.stringify(message));
      return log.publish([{ topic: trainingData.name, key: "train-claim", value, headers }]);
    },
    events: async () => (await messages(modelTraining.name)).map((value) => parseEvent(modelTraining, value)),
    letters: async () =>
      (await messages(deadLetterTopic(trainingData.name))).map((value) =>
        deadLetter.parse(JSON.parse(Buffer.from(value).toString())),
      ),
    candidates: () => readCandidates(store),
    runs: () => tracker.findRuns(null, {}),
    isDone: async () =>
      (await log.lag(GROUP, [trainingData.name])).every(({ committed, end }) => (committed ?? 0n) === end),
  };
}

/** Lets time pass until the work has ended: who waits for a lease waits for the clock. */
export async function overTime<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  work.then(end, end);
  while (!ending.signal.aborted) await clock.advance(LEASE_MS / 4);
  return work;
}

async function readCandidates(store: ObjectStore): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for await (const { key } of store.list(buckets.promotion, "candidates/")) {
    const ref = { bucket: buckets.promotion, key };
    const stored = await readDocument(store, ref, candidateSchema, "POINTER_INVALID");
    if (stored !== null) candidates.push(stored.document);
  }
  return candidates;
}

/** P2: one candidate, its artifact whole, its run finished, every other run closed and marked as superseded by it. */
export async function expectOneResult({ candidates, runs, tracker }: Bench): Promise<Candidate> {
  const [candidate, ...others] = await candidates();
  if (candidate?.run_id == null) throw new Error("there is no successful candidate");
  expect(others).toEqual([]);
  await fetchArtifact(tracker, {
    runId: candidate.run_id,
    family: candidate.model_type,
    manifestSha256: candidate.manifest_sha256,
  });
  for (const run of await runs())
    expect(run).toMatchObject(
      run.runId === candidate.run_id
        ? { status: "FINISHED" }
        : { status: "KILLED", tags: { superseded: candidate.run_id } },
    );
  return candidate;
}

const quiet: Logger = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => quiet,
};
