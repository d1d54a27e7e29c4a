import { hasCode } from "../contracts/errors.ts";
import { DEADLINE_HEADER } from "../stage/deadline.ts";
import type { AttemptReport } from "../stage/runner.ts";
import type { Logger } from "./logger.ts";
import type { ServiceMetrics } from "./metrics.ts";

/** A wait that is no fault is told of at its begin, and then so often. */
const REMINDER_MS = 60_000;

/**
 * Writes what a stage's shell reports into the log and the metrics: one info line per message handled, one error line per failed attempt. A message that waits
 * for a station's first model is no fault, and a line a minute.
 */
export function stageReporter(log: Logger, metrics: ServiceMetrics): (report: AttemptReport) => void {
  const remindedAtMs = new Map<string, number>();

  /** Whether this attempt is the first of its message, or the first for a while. */
  function isNews({ delivery: { topic, partition }, attempt, heldMs }: AttemptReport): boolean {
    const place = `${topic}/${partition}`;
    if (attempt > 1 && heldMs < (remindedAtMs.get(place) ?? Number.NEGATIVE_INFINITY) + REMINDER_MS)
      return false;
    remindedAtMs.set(place, heldMs);
    return true;
  }

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
      case "retry": {
        const held = { ...fields, retry_in_ms: Math.round(verdict.delayMs) };
        if (!hasCode(error, "MODEL_MISSING")) return log.error("message_held", error, held);
        if (isNews(report)) log.info("message_held", { ...held, code: error.code, error: error.message });
        return;
      }
      case "dead-letter":
        return log.error("message_dead_lettered", error, fields);
      case "crash":
        return log.error("message_fatal", error, fields);
    }
  };
}
