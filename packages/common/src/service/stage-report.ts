import { DEADLINE_HEADER } from "../stage/deadline.ts";
import type { AttemptReport } from "../stage/runner.ts";
import type { Logger } from "./logger.ts";
import type { ServiceMetrics } from "./metrics.ts";

/** Writes what a stage's shell reports into the log and the metrics: one info line per message handled, one error line per failed attempt. */
export function stageReporter(log: Logger, metrics: ServiceMetrics): (report: AttemptReport) => void {
  return (report) => {
    metrics.observeAttempt(report);
    const { stage, delivery, verdict, attempt, heldMs, error } = report;
    const fields = {
      stage,
      topic: delivery.topic,
      partition: delivery.partition,
      offset: String(delivery.offset),
      key: delivery.key,
      attempt,
      duration_ms: Math.round(heldMs),
    };
    switch (verdict.kind) {
      case "commit":
        return log.info("message_handled", fields);
      case "expire":
        return log.warn("ttl_expired", { ...fields, deadline_ms: delivery.headers[DEADLINE_HEADER] });
      case "retry":
        return log.error("message_held", error, { ...fields, retry_in_ms: Math.round(verdict.delayMs) });
      case "dead-letter":
        return log.error("message_dead_lettered", error, fields);
      case "crash":
        return log.error("message_fatal", error, fields);
    }
  };
}
