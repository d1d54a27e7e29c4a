import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { AdmissionStats } from "./predict/admission.ts";
import type { PredictReport } from "./predict/predict.ts";

/** Inference's own metrics, by the reference's names where it has them (behaviour §7.7). */
export interface InferenceMetrics {
  observeRequest(report: PredictReport): void;
  observeWait(waitMs: number): void;
  countSwap(): void;
  countLoadFailure(): void;
}

/** Where the gauges are read from when somebody looks. */
export interface InferenceState {
  readonly admission: () => AdmissionStats;
  readonly maxActive: number;
  /** 0 while no model is served. */
  readonly epoch: () => number;
}

/** Seconds; the reference's buckets, and below them, where our answers lie. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];

export function createInferenceMetrics(registry: Registry, state: InferenceState): InferenceMetrics {
  const registers = [registry];
  // prom-client calls `collect` at every scrape.
  const gauge = (name: string, help: string, read: () => number): void => {
    const created: Gauge = new Gauge({ name, help, registers, collect: () => created.set(read()) });
  };
  const { admission, maxActive, epoch } = state;
  gauge("inference_model_ready", "1 when a model is loaded", () => (epoch() > 0 ? 1 : 0));
  gauge("inference_model_epoch", "Epoch of the promotion that is served; 0 when none is", epoch);
  gauge("inference_queue_len", "Requests waiting for their turn", () => admission().waiting);
  gauge("inference_queue_oldest_wait_seconds", "How long the first in line has waited", () =>
    seconds(admission().oldestWaitMs),
  );
  gauge("inference_queue_wait_latest_seconds", "How long the last one waited", () =>
    seconds(admission().lastWaitMs),
  );
  gauge("inference_latency_latest_seconds", "How long the last forecast took", () =>
    seconds(admission().lastDurationMs),
  );
  gauge("inference_workers_total", "Forecasts that may be computed at once", () => maxActive);
  gauge("inference_workers_busy", "Forecasts being computed", () => admission().active);
  gauge("inference_workers_idle", "Forecasts that could begin at once", () => maxActive - admission().active);
  gauge(
    "inference_worker_utilization",
    "Share of the workers that are busy",
    () => admission().active / maxActive,
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
  return {
    observeRequest({ outcome, durationMs }) {
      outcomes.inc({ outcome });
      if (outcome !== "success") return;
      processed.inc();
      latency.observe(seconds(durationMs));
    },
    observeWait: (waitMs) => wait.observe(seconds(waitMs)),
    countSwap: () => swaps.inc(),
    countLoadFailure: () => failures.inc(),
  };
}

const seconds = (ms: number): number => ms / 1000;
