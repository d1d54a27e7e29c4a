import { FltsError, hasCode } from "@flts/common/contracts/errors";
import type { ObjectRef, ObjectStore } from "@flts/common/ports/object-store";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { assertArtifactPath } from "../artifact-path.ts";
import { inTrackerTerms } from "../tracker-terms.ts";
import { answers } from "./answers.ts";
import type { MlflowApi } from "./api.ts";
import { type ArtifactPlace, placeOf } from "./artifact-place.ts";
import { allPages } from "./paging.ts";
import { requireRun } from "./runs.ts";

type Artifacts = Pick<RunTracker, "putArtifact" | "getArtifact" | "listArtifacts">;

/** The files of runs, through MLflow's proxy or straight in S3, as each run's artifact URI has it. */
export function createArtifacts(api: MlflowApi, store: ObjectStore | null): Artifacts {
  /** Where a run's files lie never changes. */
  const places = new Map<string, ArtifactPlace>();
  const placeOfRun = async (runId: string): Promise<ArtifactPlace> => {
    const place = places.get(runId) ?? placeOf((await requireRun(api, runId)).artifactUri);
    places.set(runId, place);
    return place;
  };

  const inStore = <Result>(operation: (store: ObjectStore) => Promise<Result>): Promise<Result> => {
    if (store !== null) return inTrackerTerms(() => operation(store));
    const text = "MLflow keeps its files in S3: set S3_ENDPOINT to the same store";
    throw new FltsError("CONFIG_INVALID", text);
  };

  /** Files and folders right below a folder, by paths from the run's root. */
  const listFolder = async (runId: string, folder: string) => {
    const pages = await allPages((next) =>
      api.call(
        {
          verb: "GET",
          method: "artifacts/list",
          query: { run_id: runId, ...(folder === "" ? {} : { path: folder }), ...next },
          runId,
        },
        answers.files,
      ),
    );
    return pages.flatMap(({ files }) => files);
  };
  const listBelow = async (runId: string, folder: string): Promise<readonly string[]> => {
    const paths: string[] = [];
    for (const { path, is_dir } of await listFolder(runId, folder))
      paths.push(...(is_dir ? await listBelow(runId, path) : [path]));
    return paths;
  };
  const isFile = async (runId: string, path: string): Promise<boolean> => {
    const folder = path.split("/").slice(0, -1).join("/");
    return (await listFolder(runId, folder)).some((entry) => entry.path === path && !entry.is_dir);
  };

  /** The proxy says 500 for an absent file, and nothing for a folder: what it has is seen in the list. */
  const getThroughProxy = async (runId: string, root: string, path: string): Promise<Uint8Array | null> => {
    let fault: unknown = null;
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      try {
        const bytes = await api.getFile(`${root}/${path}`);
        return bytes.byteLength > 0 || (await isFile(runId, path)) ? bytes : null;
      } catch (error) {
        if (!hasCode(error, "TRACKER_UNAVAILABLE")) throw error;
        if (!(await isFile(runId, path))) return null;
        fault = error;
      }
    }
    throw fault;
  };

  return {
    putArtifact: async (runId, path, bytes) => {
      assertArtifactPath(path);
      const place = await placeOfRun(runId);
      if (place.kind === "proxy") return api.putFile(`${place.root}/${path}`, bytes);
      await inStore((there) => there.put(refOf(place, path), bytes));
    },
    getArtifact: async (runId, path) => {
      assertArtifactPath(path);
      const place = await placeOfRun(runId);
      if (place.kind === "proxy") return getThroughProxy(runId, place.root, path);
      return (await inStore((there) => there.get(refOf(place, path))))?.bytes ?? null;
    },
    listArtifacts: async (runId, folder) => {
      const place = await placeOfRun(runId);
      if (place.kind === "proxy") return (await listBelow(runId, folder)).toSorted();
      return inStore(async (there) => {
        const paths: string[] = [];
        const prefix = folder === "" ? `${place.root}/` : `${place.root}/${folder}/`;
        for await (const { key } of there.list(place.bucket, prefix))
          paths.push(key.slice(place.root.length + 1));
        return paths;
      });
    },
  };
}

const refOf = (place: { readonly bucket: string; readonly root: string }, path: string): ObjectRef => ({
  bucket: place.bucket,
  key: `${place.root}/${path}`,
});
