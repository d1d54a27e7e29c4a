import { FltsError } from "../contracts/errors.ts";
import { keys } from "../contracts/layout.ts";
import { describeRef, type ListedObject, type ObjectRef, type ObjectStore } from "../ports/object-store.ts";
import type { RunTracker } from "../ports/run-tracker.ts";
import { DEAD_LETTER_RETENTION_MS } from "../stage/topics.ts";
import { findReferences, isNote, isOfRound, type Referrers, roundIn } from "./references.ts";

export interface GarbageDeps extends Referrers {
  readonly tracker: RunTracker;
  /** Where run artifacts lie, as MLflow lays them out. */
  readonly runsBucket: string;
}

export interface GarbagePolicy {
  /** So many promotions of each station keep what they refer to. */
  readonly keepEpochs: number;
  /** Nothing younger goes. Longer than events are kept, so that no message can refer to what is gone. */
  readonly graceMs: number;
  /** Tells what would go, and leaves it. */
  readonly dryRun: boolean;
}

export interface GarbageReport {
  /** What went, or would go. */
  readonly swept: readonly SweptObject[];
  /** Objects looked at that stay. */
  readonly kept: number;
}

export interface SweptObject extends ObjectRef {
  readonly sizeBytes: number;
}

/** A probe lasts seconds: an older one is of a process that was killed. */
const PROBE_MS = 60 * 60 * 1000;

/**
 * Removes what nothing refers to any more: mark, then sweep what is older than the grace. Tables, candidates, decisions, artifacts of runs that are ours, old
 * leases, notes of redrives and probes; nothing else is ever touched, and documents of promotions stay for ever.
 *
 * - G1 Objects are listed before references are sought: what is put to use meanwhile is seen.
 * - G2 An object goes only if it has not been written again since it was listed: who stores the same bytes again makes them young.
 * - G3 Ages are by the store's own clock, which wrote the times.
 * - G4 A run is tagged before its files go: afterwards nothing would lead to it again.
 * @throws the reason of `signal`; STORE_UNAVAILABLE, LOG_UNAVAILABLE, TRACKER_UNAVAILABLE: nothing that was not seen unreferenced has gone
 */
export async function collectGarbage(
  deps: GarbageDeps,
  policy: GarbagePolicy,
  signal: AbortSignal,
): Promise<GarbageReport> {
  const { store, tracker } = deps;
  const nowMs = await storeTime(store, deps.promotionBucket); // G3
  const { old, seen } = await findOld(deps, { nowMs, graceMs: policy.graceMs }, signal); // G1
  const youngSinceMs = nowMs - policy.graceMs;
  const living = await findReferences(deps, { keepEpochs: policy.keepEpochs, youngSinceMs }, signal);
  const ourRuns = createOurRuns(tracker);
  const swept: SweptObject[] = [];
  const tagged = new Set<string>();
  for (const { bucket, object, id, kind } of old) {
    signal.throwIfAborted();
    if (id !== null && living.has(id)) continue;
    if (kind === "run" && !(await ourRuns.has(id))) continue;
    if (kind === "run" && !policy.dryRun && !tagged.has(id)) {
      await tracker.setTags(id, { artifacts_swept: new Date(nowMs).toISOString() }); // G4
      tagged.add(id);
    }
    if (!policy.dryRun && !(await removeUnchanged(store, bucket, object))) continue;
    swept.push({ bucket, key: object.key, sizeBytes: object.sizeBytes });
  }
  return { swept, kept: seen - swept.length };
}

/** What can go, in the order in which it goes: a candidate before the artifact that it promises. */
type Removable = { readonly bucket: string; readonly object: ListedObject } & (
  | { readonly kind: "table" | "round" /** What keeps it when something mentions it. */; readonly id: string }
  | { readonly kind: "run"; readonly id: string }
  | { readonly kind: "note"; readonly id: null }
);

interface Ages {
  readonly nowMs: number;
  readonly graceMs: number;
}

/** What is of a kind that can go, and old enough; `seen` counts the young, too. */
async function findOld(
  { store, processedBucket, promotionBucket, runsBucket }: GarbageDeps,
  { nowMs, graceMs }: Ages,
  signal: AbortSignal,
): Promise<{ readonly old: readonly Removable[]; readonly seen: number }> {
  const old: Removable[] = [];
  let seen = 0;
  const consider = (found: Removable, writtenAt = found.object.modifiedAt, keepMs = graceMs): void => {
    signal.throwIfAborted();
    seen += 1;
    if (writtenAt < nowMs - keepMs) old.push(found);
  };
  for await (const object of store.list(processedBucket, "")) {
    const id = TABLE.exec(object.key)?.[1];
    if (id !== undefined) consider({ kind: "table", id, bucket: processedBucket, object });
  }
  for await (const object of store.list(promotionBucket, "")) {
    const { key, modifiedAt } = object;
    if (isOfRound(key)) consider({ kind: "round", id: roundIn(key), bucket: promotionBucket, object });
    else if (isNote(key))
      consider({ kind: "note", id: null, bucket: promotionBucket, object }, modifiedAt, ageOf(key, graceMs));
  }
  for (const [id, files] of await artifactsOf(store, runsBucket)) {
    // A run goes as a whole or not at all.
    const youngest = Math.max(...files.map(({ modifiedAt }) => modifiedAt));
    for (const object of files) consider({ kind: "run", id, bucket: runsBucket, object }, youngest);
  }
  return { old, seen };
}

/** How long a note is kept. */
function ageOf(key: string, graceMs: number): number {
  if (key.startsWith(keys.redrives)) return graceMs + DEAD_LETTER_RETENTION_MS;
  return key.startsWith(keys.probes) ? PROBE_MS : graceMs;
}

/** `<digest>/<name>.parquet`, below a station's folder or not. */
const TABLE = /^(?:[^/]+\/)?([0-9a-f]{64})\/[^/]+\.parquet$/;
/** `<experiment id>/<run id>/artifacts/…` */
const ARTIFACT = /^[^/]+\/([0-9a-f]{32})\/artifacts\//;

async function artifactsOf(
  store: ObjectStore,
  bucket: string,
): Promise<ReadonlyMap<string, readonly ListedObject[]>> {
  const runs = new Map<string, ListedObject[]>();
  for await (const object of store.list(bucket, "")) {
    const run = ARTIFACT.exec(object.key)?.[1];
    if (run === undefined) continue;
    const files = runs.get(run) ?? [];
    files.push(object);
    runs.set(run, files);
  }
  return runs;
}

/** The runs that trainers of ours made; the tracker may hold others'. */
function createOurRuns(tracker: RunTracker): { has(runId: string): Promise<boolean> } {
  const known = new Map<string, boolean>();
  return {
    async has(runId) {
      const ours = known.get(runId) ?? (await tracker.getRun(runId))?.tags["work_key"] !== undefined;
      known.set(runId, ours);
      return ours;
    },
  };
}

/** Whether it has gone: not when it was written again since (G2). */
async function removeUnchanged(store: ObjectStore, bucket: string, listed: ListedObject): Promise<boolean> {
  for await (const { key, modifiedAt } of store.list(bucket, listed.key)) {
    if (key !== listed.key) break;
    if (modifiedAt !== listed.modifiedAt) return false;
    await store.remove({ bucket, key });
    return true;
  }
  return false;
}

async function storeTime(store: ObjectStore, bucket: string): Promise<number> {
  await store.ensureBucket(bucket);
  await store.put({ bucket, key: keys.storeTime }, new Uint8Array());
  for await (const { key, modifiedAt } of store.list(bucket, keys.storeTime))
    if (key === keys.storeTime) return modifiedAt;
  throw new FltsError(
    "STORE_UNAVAILABLE",
    `written and not listed: ${describeRef({ bucket, key: keys.storeTime })}`,
  );
}
