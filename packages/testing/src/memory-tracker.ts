import { assertArtifactPath } from "@flts/backends/artifact-path";
import { FltsError } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import type { Random } from "@flts/common/ports/random";
import type { MetricPoint, NewRun, Run, RunTracker } from "@flts/common/ports/run-tracker";
import { createManualClock } from "./manual-clock.ts";
import { createMemoryRegistry } from "./memory-registry.ts";
import { createSeededRandom } from "./seeded-random.ts";

interface MemoryRun {
  readonly runId: string;
  readonly fields: NewRun;
  readonly startedAt: number;
  readonly params: Map<string, string>;
  readonly tags: Map<string, string>;
  readonly points: MetricPoint[];
  readonly files: Map<string, Uint8Array>;
  status: Run["status"];
  endedAt: number | null;
}

/** A run tracker in memory, with the semantics of a real one. */
export function createMemoryTracker(
  options: { readonly clock?: Clock; readonly random?: Random } = {},
): RunTracker {
  const clock = options.clock ?? createManualClock();
  const random = options.random ?? createSeededRandom(1);
  const runs = new Map<string, MemoryRun>();
  let closed = false;

  const assertOpen = (): void => {
    if (closed) throw new FltsError("TRACKER_UNAVAILABLE", "The memory tracker is closed");
  };
  const find = (runId: string): MemoryRun => {
    assertOpen();
    const run = runs.get(runId);
    if (!run) throw new FltsError("RUN_MISSING", `There is no run ${runId}`);
    return run;
  };

  return {
    ...createMemoryRegistry(find, clock.now),
    startRun: async (fields) => {
      assertOpen();
      const run: MemoryRun = {
        runId: random.hex(16),
        fields,
        startedAt: clock.now(),
        params: new Map(),
        tags: new Map(Object.entries(fields.tags)),
        points: [],
        files: new Map(),
        status: "RUNNING",
        endedAt: null,
      };
      runs.set(run.runId, run);
      const { runId, experiment, name, artifactUri } = describe(run);
      return { runId, experiment, name, artifactUri };
    },
    logParams: async (runId, params) => {
      const run = find(runId);
      for (const [name, value] of Object.entries(params)) {
        if ((run.params.get(name) ?? value) === value) continue;
        const text = `Parameter ${name} of run ${runId} is ${run.params.get(name)} and cannot become ${value}`;
        throw new FltsError("TRACKER_REJECTED", text);
      }
      for (const [name, value] of Object.entries(params)) run.params.set(name, value);
    },
    logMetrics: async (runId, points) => {
      find(runId).points.push(...points);
    },
    setTags: async (runId, tags) => {
      const run = find(runId);
      for (const [name, value] of Object.entries(tags)) run.tags.set(name, value);
    },
    endRun: async (runId, status) => {
      const run = find(runId);
      run.status = status;
      run.endedAt = clock.now();
    },
    getRun: async (runId) => {
      assertOpen();
      const run = runs.get(runId);
      return run ? describe(run) : null;
    },
    findRuns: async (experiment, tags) => {
      assertOpen();
      return [...runs.values()]
        .filter((run) => experiment === null || run.fields.experiment === experiment)
        .filter((run) => Object.entries(tags).every(([name, value]) => run.tags.get(name) === value))
        .toReversed()
        .toSorted((a, b) => b.startedAt - a.startedAt)
        .map(describe);
    },
    metricHistory: async (runId, metric) =>
      find(runId)
        .points.filter(({ name }) => name === metric)
        .toSorted((a, b) => a.step - b.step),
    putArtifact: async (runId, path, bytes) => {
      assertArtifactPath(path);
      find(runId).files.set(path, new Uint8Array(bytes));
    },
    getArtifact: async (runId, path) => {
      assertArtifactPath(path);
      const file = find(runId).files.get(path);
      return file ? new Uint8Array(file) : null;
    },
    listArtifacts: async (runId, folder) =>
      [...find(runId).files.keys()]
        .filter((path) => folder === "" || path.startsWith(`${folder}/`))
        .toSorted(),
    ping: async () => assertOpen(),
    close: async () => {
      closed = true;
    },
  };
}

function describe(run: MemoryRun): Run {
  return {
    runId: run.runId,
    experiment: run.fields.experiment,
    name: run.fields.name,
    artifactUri: `memory://${run.runId}/artifacts`,
    status: run.status,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    params: Object.fromEntries(run.params),
    metrics: Object.fromEntries(
      run.points.toSorted((a, b) => a.step - b.step).map(({ name, value }) => [name, value]),
    ),
    tags: Object.fromEntries(run.tags),
  };
}
