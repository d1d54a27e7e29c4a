import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryLog } from "@flts/testing/memory-log";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { buckets, keys } from "../../src/contracts/layout.ts";
import type { GarbageDeps } from "../../src/housekeeping/collect-garbage.ts";
import { pipelineTopics } from "../../src/stage/topics.ts";

export const DAY_MS = 86_400_000;
export const GRACE_MS = 8 * DAY_MS;
export const never = new AbortController().signal;
export const policy = { keepEpochs: 2, graceMs: GRACE_MS, dryRun: false };

/** A store, a log and a tracker in memory, in which tests lay what is to be collected. */
export async function makeWorld() {
  const clock = createManualClock();
  const log = createMemoryLog({ clock });
  const store = createMemoryStore({ clock });
  const tracker = createMemoryTracker({ clock });
  await log.ensureTopics(pipelineTopics(1));
  for (const bucket of Object.values(buckets)) await store.ensureBucket(bucket);
  const deps: GarbageDeps = {
    log,
    store,
    tracker,
    processedBucket: buckets.processed,
    promotionBucket: buckets.promotion,
    runsBucket: buckets.mlflow,
  };
  const put = async (bucket: string, key: string, document: unknown = {}): Promise<string> => {
    await store.put({ bucket, key }, Buffer.from(JSON.stringify(document)));
    return `${bucket}/${key}`;
  };
  const startRun = async (tags: Record<string, string>): Promise<string> =>
    (await tracker.startRun({ experiment: "Default", name: "x", tags })).runId;
  const everything = async (): Promise<string[]> => {
    const all: string[] = [];
    for (const bucket of Object.values(buckets))
      for await (const { key } of store.list(bucket, "")) all.push(`${bucket}/${key}`);
    return all.filter((name) => !name.endsWith(keys.storeTime)).toSorted();
  };
  return { clock, log, store, tracker, deps, put, startRun, everything };
}
export type GarbageWorld = Awaited<ReturnType<typeof makeWorld>>;
