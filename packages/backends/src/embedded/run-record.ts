import { FltsError } from "@flts/common/contracts/errors";
import type { MetricPoint, Run } from "@flts/common/ports/run-tracker";
import { z } from "zod";

/** JSON has no NaN and no infinities; a training that diverges logs them all the same. */
const metricValue = z.union([
  z.number(),
  z.enum(["NaN", "Infinity", "-Infinity"]).transform((text) => Number(text)),
]);

const runRecord = z.object({
  runId: z.string(),
  experimentId: z.string(),
  experiment: z.string(),
  name: z.string(),
  status: z.enum(["RUNNING", "FINISHED", "FAILED", "KILLED"]),
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  params: z.record(z.string(), z.string()),
  tags: z.record(z.string(), z.string()),
  /** Step and value, in the order of logging. */
  metrics: z.record(z.string(), z.array(z.tuple([z.number(), metricValue]))),
});

/** A run as it lies in the store, one JSON object: small, and changed as a whole by compare-and-swap. */
export type RunRecord = z.infer<typeof runRecord>;

export function encodeRun(record: RunRecord): Uint8Array {
  return Buffer.from(
    JSON.stringify(record, (_, value: unknown) =>
      typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
    ),
  );
}

/** @throws TRACKER_REJECTED for something else than a run record */
export function decodeRun(bytes: Uint8Array, where: string): RunRecord {
  try {
    return runRecord.parse(JSON.parse(Buffer.from(bytes).toString()));
  } catch (error) {
    throw new FltsError("TRACKER_REJECTED", `This is no run record: ${where}`, error);
  }
}

/** The run as the port shows it. */
export function runOf(record: RunRecord, artifactUri: string): Run {
  const latest = Object.keys(record.metrics).map((name) => [
    name,
    historyOf(record, name).at(-1)?.value ?? 0,
  ]);
  return {
    runId: record.runId,
    experiment: record.experiment,
    name: record.name,
    artifactUri,
    status: record.status,
    startedAt: record.startedAt,
    endedAt: record.endedAt,
    params: record.params,
    metrics: Object.fromEntries(latest),
    tags: record.tags,
  };
}

/** Points of a metric in the order of their steps; of equal steps, in the order of logging. */
export function historyOf(record: RunRecord, name: string): readonly MetricPoint[] {
  const points = record.metrics[name] ?? [];
  return points.map(([step, value]) => ({ name, step, value })).toSorted((a, b) => a.step - b.step);
}

/** @throws TRACKER_REJECTED when a parameter has another value already */
export function withParams(record: RunRecord, params: Readonly<Record<string, string>>): RunRecord {
  for (const [name, value] of Object.entries(params)) {
    const present = record.params[name] ?? value;
    if (present === value) continue;
    const text = `Parameter ${name} of run ${record.runId} is ${present} and cannot become ${value}`;
    throw new FltsError("TRACKER_REJECTED", text);
  }
  return { ...record, params: { ...record.params, ...params } };
}

export function withMetrics(record: RunRecord, points: readonly MetricPoint[]): RunRecord {
  const metrics = { ...record.metrics };
  for (const { name, step, value } of points) metrics[name] = [...(metrics[name] ?? []), [step, value]];
  return { ...record, metrics };
}
