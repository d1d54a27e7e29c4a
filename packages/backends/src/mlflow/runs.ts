import type { Clock } from "@flts/common/ports/clock";
import type { MetricPoint, Run, RunTracker } from "@flts/common/ports/run-tracker";
import { answers, type MlflowRun } from "./answers.ts";
import type { MlflowApi } from "./api.ts";
import { placeOf } from "./artifact-place.ts";
import { batchesOf } from "./batches.ts";
import { ensureExperiment, findExperiment, listExperiments, nameOfExperiment } from "./experiments.ts";
import { allPages } from "./paging.ts";
import { tagFilter } from "./tag-filter.ts";

type Runs = Pick<
  RunTracker,
  "startRun" | "logParams" | "logMetrics" | "setTags" | "endRun" | "getRun" | "findRuns" | "metricHistory"
>;

/** What MLflow takes in one `runs/log-batch`. Of its 1 MB some is left for the frame. */
const batchLimits = {
  params: { maxItems: 100, maxBytes: 900_000 },
  tags: { maxItems: 100, maxBytes: 900_000 },
  metrics: { maxItems: 1000, maxBytes: 900_000 },
};

const pageSize = 1000;

export function createRuns(api: MlflowApi, clock: Clock): Runs {
  /** A batch that is sent twice, its answer lost, is in MLflow once. */
  const logBatches = async (
    runId: string,
    kind: keyof typeof batchLimits,
    items: readonly object[],
  ): Promise<void> => {
    for (const batch of batchesOf(items, batchLimits[kind]))
      await api.call(
        { verb: "POST", method: "runs/log-batch", body: { run_id: runId, [kind]: batch }, runId },
        answers.nothing,
      );
  };

  return {
    startRun: async ({ experiment, name, tags }) => {
      const experimentId = await ensureExperiment(api, experiment);
      const body = {
        experiment_id: experimentId,
        run_name: name,
        start_time: clock.now(),
        tags: keyValues(tags),
      };
      const { run } = await api.call({ verb: "POST", method: "runs/create", body, once: true }, answers.run);
      const { run_id: runId, artifact_uri: artifactUri } = run.info;
      // Before hours are spent on a model that could not be stored.
      placeOf(artifactUri);
      return { runId, experiment, name, artifactUri };
    },
    logParams: (runId, params) => logBatches(runId, "params", keyValues(params)),
    logMetrics: (runId, points) => {
      const timestamp = clock.now();
      const metrics = points.map(({ name, value, step }) => ({
        key: name,
        // JSON has no NaN and no infinities; MLflow reads their names.
        value: Number.isFinite(value) ? value : String(value),
        step,
        timestamp,
      }));
      return logBatches(runId, "metrics", metrics);
    },
    setTags: (runId, tags) => logBatches(runId, "tags", keyValues(tags)),
    endRun: async (runId, status) => {
      const body = { run_id: runId, status, end_time: clock.now() };
      await api.call({ verb: "POST", method: "runs/update", body, runId }, answers.nothing);
    },
    getRun: async (runId) => {
      const run = await fetchRun(api, runId);
      return run && runOf(run, await nameOfExperiment(api, run.info.experiment_id));
    },
    findRuns: async (experiment, tags) => {
      const experiments =
        experiment === null ? await listExperiments(api) : [await findExperiment(api, experiment)];
      const names = new Map(experiments.flatMap((one) => (one ? [[one.experiment_id, one.name]] : [])));
      if (names.size === 0) return [];
      const body = {
        experiment_ids: [...names.keys()],
        filter: tagFilter(tags),
        order_by: ["attributes.start_time DESC"],
        max_results: pageSize,
      };
      const pages = await allPages((next) =>
        api.call({ verb: "POST", method: "runs/search", body: { ...body, ...next } }, answers.runs),
      );
      return pages
        .flatMap(({ runs }) => runs)
        .filter((run) => Object.entries(tags).every(([name, value]) => run.data.tags[name] === value))
        .map((run) => runOf(run, names.get(run.info.experiment_id) ?? ""));
    },
    metricHistory: async (runId, metric) => {
      const query = { run_id: runId, metric_key: metric, max_results: String(pageSize) };
      const pages = await allPages((next) =>
        api.call(
          { verb: "GET", method: "metrics/get-history", query: { ...query, ...next } },
          answers.metrics,
        ),
      );
      const points = pages.flatMap(({ metrics }): readonly MetricPoint[] =>
        metrics.map(({ key, value, step }) => ({ name: key, value, step })),
      );
      // MLflow has no history of an unknown run either, and does not say so.
      if (points.length === 0) await requireRun(api, runId);
      return points.toSorted((a, b) => a.step - b.step);
    },
  };
}

/** The run, or null; also for one that was deleted. */
async function fetchRun(api: MlflowApi, runId: string): Promise<MlflowRun | null> {
  const found = await api.callUnless(
    "RESOURCE_DOES_NOT_EXIST",
    { verb: "GET", method: "runs/get", query: { run_id: runId } },
    answers.run,
  );
  return found === null || found.run.info.lifecycle_stage === "deleted" ? null : found.run;
}

/** Where the run's files lie. @throws RUN_MISSING */
export async function requireRun(api: MlflowApi, runId: string): Promise<{ readonly artifactUri: string }> {
  const { run } = await api.call(
    { verb: "GET", method: "runs/get", query: { run_id: runId }, runId },
    answers.run,
  );
  return { artifactUri: run.info.artifact_uri };
}

function runOf({ info, data }: MlflowRun, experiment: string): Run {
  return {
    runId: info.run_id,
    experiment,
    name: info.run_name,
    artifactUri: info.artifact_uri,
    status: info.status,
    startedAt: info.start_time,
    endedAt: info.end_time ?? null,
    ...data,
  };
}

export const keyValues = (
  record: Readonly<Record<string, string>>,
): readonly { readonly key: string; readonly value: string }[] =>
  Object.entries(record).map(([key, value]) => ({ key, value }));
