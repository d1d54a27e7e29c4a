import { z } from "zod";

/** A run as MLflow's REST interface tells it. */
export interface MlflowRun {
  readonly runId: string;
  readonly experiment: string;
  readonly name: string;
  readonly status: string;
  readonly artifactUri: string;
  readonly params: Readonly<Record<string, string>>;
  /** Latest values. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly tags: Readonly<Record<string, string>>;
  /** Paths of its files. */
  readonly files: readonly string[];
  /** Steps at which a metric was logged. */
  readonly stepsOf: (metric: string) => Promise<readonly number[]>;
}

const pairs = <Value extends z.ZodType>(value: Value) =>
  z.array(z.object({ key: z.string(), value })).default([]);
const runs = z.object({
  runs: z
    .array(
      z.object({
        info: z.object({
          run_id: z.string(),
          run_name: z.string(),
          experiment_id: z.string(),
          status: z.string(),
          artifact_uri: z.string(),
        }),
        data: z.object({ params: pairs(z.string()), metrics: pairs(z.number()), tags: pairs(z.string()) }),
      }),
    )
    .default([]),
});
const experiments = z.object({
  experiments: z.array(z.object({ experiment_id: z.string(), name: z.string() })),
});
const listing = z.object({ files: z.array(z.object({ path: z.string(), is_dir: z.boolean() })).default([]) });
const metricHistory = z.object({ metrics: z.array(z.object({ step: z.coerce.number() })).default([]) });

/** Every run of every experiment. */
export async function readMlflow(uri: string): Promise<readonly MlflowRun[]> {
  const call = async (path: string, body?: unknown): Promise<unknown> => {
    const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${uri}/api/2.0/mlflow/${path}`, { ...init, headers });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const filesBelow = async (runId: string, path: string): Promise<readonly string[]> => {
    const query = new URLSearchParams({ run_id: runId, path });
    const { files } = listing.parse(await call(`artifacts/list?${query}`));
    const nested = files.map(async (file) => (file.is_dir ? filesBelow(runId, file.path) : [file.path]));
    return (await Promise.all(nested)).flat();
  };
  const known = experiments.parse(await call("experiments/search", { max_results: 100 })).experiments;
  const names = new Map(known.map(({ experiment_id, name }) => [experiment_id, name]));
  const found = runs.parse(
    await call("runs/search", { experiment_ids: [...names.keys()], max_results: 1_000 }),
  );
  return Promise.all(
    found.runs.map(async ({ info, data }) => ({
      runId: info.run_id,
      experiment: names.get(info.experiment_id) ?? "",
      name: info.run_name,
      status: info.status,
      artifactUri: info.artifact_uri,
      params: recordOf(data.params),
      metrics: recordOf(data.metrics),
      tags: recordOf(data.tags),
      files: (await filesBelow(info.run_id, "")).toSorted(),
      stepsOf: async (metric: string) => {
        const query = new URLSearchParams({ run_id: info.run_id, metric_key: metric });
        return metricHistory
          .parse(await call(`metrics/get-history?${query}`))
          .metrics.map(({ step }) => step);
      },
    })),
  );
}

const recordOf = <Value>(entries: readonly { readonly key: string; readonly value: Value }[]) =>
  Object.fromEntries(entries.map(({ key, value }) => [key, value]));
