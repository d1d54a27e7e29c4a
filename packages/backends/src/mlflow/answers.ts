import type { Run } from "@flts/common/ports/run-tracker";
import { z } from "zod";

/** MLflow's answers, as far as they are read. Lists and numbers that are empty or zero may be left out. */

const keyValues = z
  .array(z.object({ key: z.string(), value: z.string().default("") }))
  .default([])
  .transform((entries): Record<string, string> => Object.fromEntries(entries.map((e) => [e.key, e.value])));

/** The database behind MLflow has no infinities: it keeps the largest number in their place. */
const metricValue = z
  .union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"]).transform(Number)])
  .transform((value) => (Math.abs(value) === Number.MAX_VALUE ? value * 2 : value));

const metric = z.object({ key: z.string(), value: metricValue, step: z.coerce.number().default(0) });

const status = z
  .enum(["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"])
  .transform((text): Run["status"] => (text === "SCHEDULED" ? "RUNNING" : text));

const run = z.object({
  info: z.object({
    run_id: z.string(),
    experiment_id: z.string(),
    run_name: z.string().default(""),
    status,
    start_time: z.coerce.number().default(0),
    end_time: z.coerce.number().nullish(),
    artifact_uri: z.string(),
    lifecycle_stage: z.enum(["active", "deleted"]),
  }),
  data: z
    .object({
      metrics: z
        .array(metric)
        .default([])
        .transform((metrics) => Object.fromEntries(metrics.map(({ key, value }) => [key, value]))),
      params: keyValues,
      tags: keyValues,
    })
    .prefault({}),
});
export type MlflowRun = z.infer<typeof run>;

const experiment = z.object({
  experiment_id: z.string(),
  name: z.string(),
  lifecycle_stage: z.enum(["active", "deleted"]),
});
export type MlflowExperiment = z.infer<typeof experiment>;

const modelVersion = z.object({
  name: z.string(),
  version: z.coerce.string(),
  run_id: z.string().default(""),
  source: z.string().default(""),
  tags: keyValues,
  creation_timestamp: z.coerce.number().default(0),
});
export type MlflowModelVersion = z.infer<typeof modelVersion>;

const pageOf = <Item extends z.ZodRawShape>(shape: Item) =>
  z.object({ ...shape, next_page_token: z.string().optional() });

export const answers = {
  nothing: z.unknown(),
  experiment: z.object({ experiment }),
  experimentId: z.object({ experiment_id: z.string() }),
  experiments: pageOf({ experiments: z.array(experiment).default([]) }),
  run: z.object({ run }),
  runs: pageOf({ runs: z.array(run).default([]) }),
  metrics: pageOf({ metrics: z.array(metric).default([]) }),
  files: pageOf({
    files: z.array(z.object({ path: z.string(), is_dir: z.boolean().default(false) })).default([]),
  }),
  modelVersion: z.object({ model_version: modelVersion }),
  modelVersions: pageOf({ model_versions: z.array(modelVersion).default([]) }),
  model: z.object({
    registered_model: z.object({
      aliases: z.array(z.object({ alias: z.string(), version: z.coerce.string() })).default([]),
    }),
  }),
};
