import { openClaim } from "@flts/common/claim-check/claim-check";
import { inferenceData, trainingData } from "@flts/common/contracts/events";
import { type Emission, parseEvent, type Topic } from "@flts/common/contracts/topic";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { loadConfig } from "@flts/common/service/config";
import { createLogger } from "@flts/common/service/logger";
import { readParquet } from "@flts/forecasting/table/parquet";
import type { Table } from "@flts/forecasting/table/table";
import { type Faults, withFaults } from "@flts/testing/faults";
import { createManualClock, type ManualClock } from "@flts/testing/manual-clock";
import { createMemoryStore } from "@flts/testing/memory-store";
import { preprocessSettings } from "../src/config.ts";
import { runJob } from "../src/run.ts";

/** The job on a store in memory: files go in, claims, dead letters and log lines come out. */
export interface Workbench {
  readonly store: ObjectStore;
  readonly clock: ManualClock;
  /** Makes the next publications fail, one after the other. */
  readonly failPublish: (...errors: readonly Error[]) => void;
  /** Makes operations of the store fail. */
  readonly failNext: Faults<ObjectStore>["failNext"];
  readonly published: Emission[];
  readonly lines: Record<string, unknown>[];
  upload(key: string, content: string | Uint8Array): Promise<unknown>;
  /** Runs the job as the variables say. */
  run(environment?: Record<string, string>): Promise<void>;
  /** The claims on training data (or with `inferenceData` on test tables), in order. */
  claims<Claim>(topic: Topic<Claim>): Claim[];
  /** The tables that the last pair of claims stands for. */
  tables(): Promise<{ readonly train: Table; readonly test: Table }>;
  keys(bucket: string): Promise<string[]>;
}

export async function createWorkbench(): Promise<Workbench> {
  const { port: store, failNext } = withFaults<ObjectStore>(createMemoryStore());
  const clock = createManualClock();
  for (const bucket of ["dataset", "processed-data"]) await store.ensureBucket(bucket);
  const published: Emission[] = [];
  const unpublishable: Error[] = [];
  const lines: Record<string, unknown>[] = [];
  const deps = {
    store,
    clock,
    log: createLogger({
      service: "preprocess",
      level: "info",
      pretty: false,
      destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    }),
    signal: new AbortController().signal,
    publish: async (emissions: readonly Emission[]) => {
      const error = unpublishable.shift();
      if (error !== undefined) throw error;
      published.push(...emissions);
    },
  };

  const claims = <Claim>(topic: Topic<Claim>): Claim[] =>
    published
      .filter((emission) => emission.topic === topic.name)
      .map(({ value }) => parseEvent(topic, Buffer.from(JSON.stringify(value))));

  async function open<Claim extends Parameters<typeof openClaim>[1]>(topic: Topic<Claim>): Promise<Table> {
    const claim = claims(topic).at(-1);
    if (claim === undefined) throw new Error(`no claim on ${topic.name}`);
    const bytes = await openClaim(store, claim, { allowedBuckets: ["processed-data"], maxBytes: 1e9 });
    return (await readParquet(bytes)).table;
  }

  return {
    store,
    clock,
    failNext,
    failPublish: (...errors) => void unpublishable.push(...errors),
    published,
    lines,
    upload: (key, content) => store.put({ bucket: "dataset", key }, Buffer.from(content)),
    run: (environment = {}) => runJob(loadConfig(preprocessSettings, environment), deps),
    claims,
    tables: async () => ({ train: await open(trainingData), test: await open(inferenceData) }),
    async keys(bucket) {
      const found: string[] = [];
      for await (const { key } of store.list(bucket, "")) found.push(key);
      return found;
    },
  };
}
