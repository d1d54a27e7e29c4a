import { createHash } from "node:crypto";
import type { ObjectStore } from "@flts/common/ports/object-store";

/**
 * Where runs are found without reading them all: an empty object for each run, and one for each tag of each run. An entry is made
 * before what it promises, so an entry may promise too much, never too little: the record decides.
 */
export interface RunIndex {
  /** Enters a run before its record is made. */
  addRun(experimentId: string, runId: string, tags: Readonly<Record<string, string>>): Promise<void>;
  /** Enters tags before the record gets them. */
  addTags(experimentId: string, runId: string, tags: Readonly<Record<string, string>>): Promise<void>;
  experimentIdOf(runId: string): Promise<string | null>;
  /** Runs that may carry all the tags. */
  candidates(tags: Readonly<Record<string, string>>): Promise<readonly IndexedRun[]>;
}

export interface IndexedRun {
  readonly experimentId: string;
  readonly runId: string;
}

const indexFolder = "index";
const runsFolder = `${indexFolder}/runs/`;

export function createRunIndex(store: ObjectStore, bucket: string): RunIndex {
  const enter = async (folder: string, { runId, experimentId }: IndexedRun): Promise<void> => {
    await store.put({ bucket, key: `${folder}${runId}/${experimentId}` }, new Uint8Array());
  };

  const runsIn = async (folder: string): Promise<readonly IndexedRun[]> => {
    const runs: IndexedRun[] = [];
    for await (const { key } of store.list(bucket, folder)) {
      const [runId, experimentId] = key.slice(folder.length).split("/");
      if (runId !== undefined && experimentId !== undefined) runs.push({ runId, experimentId });
    }
    return runs;
  };

  const addTags: RunIndex["addTags"] = async (experimentId, runId, tags) => {
    await Promise.all(
      Object.entries(tags).map(([name, value]) => enter(tagFolder(name, value), { runId, experimentId })),
    );
  };

  return {
    addRun: async (experimentId, runId, tags) => {
      await enter(runsFolder, { runId, experimentId });
      await addTags(experimentId, runId, tags);
    },
    addTags,
    experimentIdOf: async (runId) => {
      // A name from outside must not widen the prefix.
      if (!/^[0-9a-f]{32}$/.test(runId)) return null;
      for await (const { key } of store.list(bucket, `${runsFolder}${runId}/`))
        return key.split("/").at(-1) ?? null;
      return null;
    },
    candidates: async (tags) => {
      const folders = Object.entries(tags).map(([name, value]) => tagFolder(name, value));
      const [first = [], ...rest] = await Promise.all(
        (folders.length > 0 ? folders : [runsFolder]).map(runsIn),
      );
      const others = rest.map((runs) => new Set(runs.map(({ runId }) => runId)));
      return first.filter(({ runId }) => others.every((runs) => runs.has(runId)));
    },
  };
}

/** A tag may hold any text of any length; a digest of it fits a key. */
const tagFolder = (name: string, value: string): string =>
  `${indexFolder}/tags/${createHash("sha256").update(`${name}\0${value}`).digest("hex").slice(0, 32)}/`;
