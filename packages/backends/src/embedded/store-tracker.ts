import { createHash } from "node:crypto";
import { FltsError, hasCode } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectRef, ObjectStore } from "@flts/common/ports/object-store";
import type { Random } from "@flts/common/ports/random";
import type { Run, RunTracker } from "@flts/common/ports/run-tracker";
import { assertArtifactPath } from "../artifact-path.ts";
import { inTrackerTerms } from "../tracker-terms.ts";
import { createRunIndex } from "./run-index.ts";
import {
  decodeRun,
  encodeRun,
  historyOf,
  type RunRecord,
  runOf,
  withMetrics,
  withParams,
} from "./run-record.ts";
import { createStoreModels } from "./store-tracker-models.ts";

export interface StoreTrackerOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
}

/** The reference's bucket for runs. */
const bucket = "mlflow";

/**
 * A run tracker whose runs lie in the object store as MLflow lays out its artifacts, `<experiment id>/<run id>/artifacts/…`, with one
 * JSON record beside them. Any number of processes may write: every change is a compare-and-swap. Closing it leaves the store open.
 *
 * @throws TRACKER_UNAVAILABLE when the store does not answer
 */
export async function createStoreTracker({ store, clock, random }: StoreTrackerOptions): Promise<RunTracker> {
  const index = createRunIndex(store, bucket);
  /** Where runs lie never changes. */
  const experimentIds = new Map<string, string>();
  await inTrackerTerms(() => store.ensureBucket(bucket));

  const recordRef = (folder: string): ObjectRef => ({ bucket, key: `${folder}/run.json` });
  const artifactUri = ({ experimentId, runId }: RunRecord): string =>
    `s3://${bucket}/${runFolder(experimentId, runId)}/artifacts`;

  const findFolder = async (runId: string): Promise<string | null> => {
    const experimentId = experimentIds.get(runId) ?? (await index.experimentIdOf(runId));
    if (experimentId === null) return null;
    experimentIds.set(runId, experimentId);
    return runFolder(experimentId, runId);
  };
  const read = async (
    folder: string,
  ): Promise<{ readonly record: RunRecord; readonly etag: string } | null> => {
    const ref = recordRef(folder);
    const object = await store.get(ref);
    return object && { record: decodeRun(object.bytes, `${bucket}/${ref.key}`), etag: object.etag };
  };
  const readRun = async (runId: string) => {
    const folder = await findFolder(runId);
    const present = folder === null ? null : await read(folder);
    if (folder === null || present === null) throw new FltsError("RUN_MISSING", `There is no run ${runId}`);
    return { folder, ...present };
  };
  /** Applies a change to a run's record, again and again until nobody has come between. */
  const change = (runId: string, apply: (record: RunRecord) => RunRecord): Promise<void> =>
    inTrackerTerms(async () => {
      for (;;) {
        const { folder, record, etag } = await readRun(runId);
        try {
          await store.put(recordRef(folder), encodeRun(apply(record)), { condition: { ifMatch: etag } });
          return;
        } catch (error) {
          if (!hasCode(error, "OBJECT_CONFLICT")) throw error;
        }
      }
    });
  const artifactRef = async (runId: string, path: string): Promise<ObjectRef> => {
    assertArtifactPath(path);
    const { folder } = await readRun(runId);
    return { bucket, key: `${folder}/artifacts/${path}` };
  };

  const models = createStoreModels({ store, bucket, clock, assertRun: readRun });

  return {
    registerModel: (version) => inTrackerTerms(() => models.registerModel(version)),
    listModelVersions: (model) => inTrackerTerms(() => models.listModelVersions(model)),
    setModelAlias: (model, alias, version) =>
      inTrackerTerms(() => models.setModelAlias(model, alias, version)),
    removeModelAlias: (model, alias) => inTrackerTerms(() => models.removeModelAlias(model, alias)),
    startRun: ({ experiment, name, tags }) =>
      inTrackerTerms(async () => {
        const record: RunRecord = {
          runId: random.hex(16),
          experimentId: experimentIdOf(experiment),
          experiment,
          name,
          status: "RUNNING",
          startedAt: clock.now(),
          endedAt: null,
          params: {},
          tags: { ...tags },
          metrics: {},
        };
        await index.addRun(record.experimentId, record.runId, tags);
        await store.put(recordRef(runFolder(record.experimentId, record.runId)), encodeRun(record), {
          condition: { ifNoneMatch: "*" },
        });
        return { runId: record.runId, experiment, name, artifactUri: artifactUri(record) };
      }),
    logParams: (runId, params) => change(runId, (record) => withParams(record, params)),
    logMetrics: (runId, points) => change(runId, (record) => withMetrics(record, points)),
    setTags: async (runId, tags) => {
      await inTrackerTerms(async () => {
        const { record } = await readRun(runId);
        await index.addTags(record.experimentId, runId, tags);
      });
      await change(runId, (record) => ({ ...record, tags: { ...record.tags, ...tags } }));
    },
    endRun: (runId, status) => change(runId, (record) => ({ ...record, status, endedAt: clock.now() })),
    getRun: (runId) =>
      inTrackerTerms(async () => {
        const folder = await findFolder(runId);
        const present = folder === null ? null : await read(folder);
        return present && runOf(present.record, artifactUri(present.record));
      }),
    findRuns: (experiment, tags) =>
      inTrackerTerms(async () => {
        const found: Run[] = [];
        for (const { experimentId, runId } of await index.candidates(tags)) {
          if (experiment !== null && experimentId !== experimentIdOf(experiment)) continue;
          const present = await read(runFolder(experimentId, runId));
          if (present && carries(present.record, tags)) {
            found.push(runOf(present.record, artifactUri(present.record)));
          }
        }
        return found.toSorted((a, b) => b.startedAt - a.startedAt);
      }),
    metricHistory: (runId, metric) =>
      inTrackerTerms(async () => historyOf((await readRun(runId)).record, metric)),
    putArtifact: (runId, path, bytes) =>
      inTrackerTerms(async () => {
        await store.put(await artifactRef(runId, path), bytes);
      }),
    getArtifact: (runId, path) =>
      inTrackerTerms(async () => (await store.get(await artifactRef(runId, path)))?.bytes ?? null),
    listArtifacts: (runId, folder) =>
      inTrackerTerms(async () => {
        const root = `${(await readRun(runId)).folder}/artifacts/`;
        const paths: string[] = [];
        for await (const { key } of store.list(bucket, folder === "" ? root : `${root}${folder}/`)) {
          paths.push(key.slice(root.length));
        }
        return paths;
      }),
    ping: () => inTrackerTerms(() => store.ping()),
    close: async () => {},
  };
}

const runFolder = (experimentId: string, runId: string): string => `${experimentId}/${runId}`;

/** MLflow's id of the default experiment, and for others a number of the same look that follows from the name. */
function experimentIdOf(experiment: string): string {
  if (experiment === "Default") return "0";
  const digest = createHash("sha256").update(experiment).digest().readBigUInt64BE();
  return String(digest % 10n ** 18n).padStart(18, "1");
}

const carries = (record: RunRecord, tags: Readonly<Record<string, string>>): boolean =>
  Object.entries(tags).every(([name, value]) => record.tags[name] === value);
