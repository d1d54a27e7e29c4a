import type { InferenceMetrics } from "./metrics.ts";
import type { RequestReport } from "./predict/observed.ts";

/** What became of requests so far, for the metrics and for `/queue_stats`. */
export interface RequestTally {
  observe(report: RequestReport): void;
  serverErrors(): number;
  /** The name of our last error, as in the reference. */
  lastErrorType(): string | null;
}

export function createRequestTally(metrics: InferenceMetrics): RequestTally {
  let serverErrors = 0;
  let lastErrorType: string | null = null;
  return {
    observe(report) {
      metrics.observeRequest(report);
      if (report.outcome !== "server_error") return;
      serverErrors += 1;
      lastErrorType = report.error instanceof Error ? report.error.name : typeof report.error;
    },
    serverErrors: () => serverErrors,
    lastErrorType: () => lastErrorType,
  };
}
