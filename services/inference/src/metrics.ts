import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { ComputeStats } from "./compute/compute.ts";
import type { StationsStats } from "./model/stations.ts";
import type { AdmissionStats } from "./predict/admission.ts";
import type { RequestReport } from "./predict/observed.ts";

/** Inference's own metrics, by the reference's names where it has them (behaviour §7.7). */
export interface InferenceMetrics {
  observeRequest(report: RequestReport): void;
  observeWait(waitMs: number): void;
  /** How many windows were computed in one call. */
  observeBatch(windows: number): void;
  countSwap(): void;
  countLoadFailure(): void;
}

/** Where the gauges are read from when somebody looks. */
export interface InferenceState {
  readonly admission: () => AdmissionStats;
  readonly compute: () => ComputeStats;
  readonly stations: () => StationsStats;
  /** 0 while no model is served. */
  readonly epoch: () => number;
}

/** Seconds; the reference's buckets, and below them, where our answers lie. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];
const batchBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256];

export function createInferenceMetrics(registry: Registry, state: InferenceState): InferenceMetrics {
  const registers = [registry];
  // prom-client calls `collect` at every scrape.
  const gauge = (name: string, help: string, read: () => number): void => {
    const created: Gauge = new Gauge({ name, help, registers, collect: () => created.set(read()) });
  };
  const { admission, compute, stations, epoch } = state;
  gauge("inference_model_ready", "1 when a model is loaded", () => (epoch() > 0 ? 1 : 0));
  gauge("inference_model_epoch", "Epoch of the promotion that is served; 0 when none is", epoch);
  gauge("inference_stations", "Stations that are served", () => stations().stations);
  gauge(
    "inference_stations_behind",
    "Stations whose promoted model is not served: it is being loaded, or cannot be had",
    () => stations().behind,
  );
  gauge("inference_model_bytes", "Memory of all models, about", () => stations().bytes);
  gauge("inference_stations_evicted", "Stations that had to make room for others", () => stations().evicted);
  gauge("inference_queue_len", "Requests for which nothing was computed yet", () => admission().waiting);
  gauge("inference_queue_oldest_wait_seconds", "How long the first in line has waited for a thread", () =>
    seconds(compute().oldestWaitMs),
  );
  gauge("inference_queue_predicted_wait_seconds", "How long a request that comes now would wait", () =>
    seconds(admission().predictedWaitMs),
  );
  gauge("inference_queue_wait_latest_seconds", "How long the last one waited", () =>
    seconds(admission().lastWaitMs),
  );
  gauge("inference_latency_latest_seconds", "How long the last forecast took", () =>
    seconds(admission().lastDurationMs),
  );
  gauge(
    "inference_active_workers",
    "Requests being computed",
    () => admission().pending - admission().waiting,
  );
  gauge("inference_workers_total", "Threads that compute forecasts", () => compute().threads);
  gauge("inference_workers_busy", "Threads that are computing", () => compute().busy);
  gauge("inference_workers_idle", "Threads that are not", () => compute().threads - compute().busy);
  gauge("inference_worker_utilization", "Share of the threads that are busy", () =>
    compute().threads === 0 ? 0 : compute().busy / compute().threads,
  );

  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter({ name, help, labelNames, registers });
  const processed = counter("inference_jobs_processed_total", "Requests answered with a forecast");
  const outcomes = counter("inference_jobs_outcome_total", "Requests by what became of them", ["outcome"]);
  const swaps = counter("inference_model_swaps_total", "Models put in place");
  const failures = counter(
    "inference_model_load_failures_total",
    "Promoted models that could not be put in place",
  );
  const wait = new Histogram({
    name: "inference_queue_wait_seconds",
    help: "Time from admission to a forecast's turn",
    buckets,
    registers,
  });
  const latency = new Histogram({
    name: "inference_latency_seconds",
    help: "Time from a request's body to its answer, successes only",
    buckets,
    registers,
  });
  const batch = new Histogram({
    name: "inference_batch_windows",
    help: "Windows computed in one call of a model",
    buckets: batchBuckets,
    registers,
  });
  return {
    observeRequest({ outcome, durationMs }) {
      outcomes.inc({ outcome });
      if (outcome !== "success") return;
      processed.inc();
      latency.observe(seconds(durationMs));
    },
    observeWait: (waitMs) => wait.observe(seconds(waitMs)),
    observeBatch: (windows) => batch.observe(windows),
    countSwap: () => swaps.inc(),
    countLoadFailure: () => failures.inc(),
  };
}

const seconds = (ms: number): number => ms / 1000;
