import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { AttemptReport } from "../stage/runner.ts";

/** What every process exports: Node's own metrics, and rate, errors, duration and age of the messages its stages handle. */
export interface ServiceMetrics {
  readonly registry: Registry;
  observeAttempt(report: AttemptReport): void;
}

/** Seconds; from a cached answer to a long training. */
const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

export function createMetrics(service: string): ServiceMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const attempts = new Counter({
    name: "stage_attempts_total",
    help: "Attempts to handle a message, by what became of it",
    labelNames: ["stage", "topic", "verdict", "code"],
    registers: [registry],
  });
  const duration = new Histogram({
    name: "stage_message_seconds",
    help: "Time from the first attempt at a message to its end",
    labelNames: ["stage", "topic"],
    buckets: durationBuckets,
    registers: [registry],
  });
  const queueAge = new Histogram({
    name: "stage_queue_age_seconds",
    help: "Age of a message when it was done: its publication to its commit",
    labelNames: ["stage", "topic"],
    buckets: durationBuckets,
    registers: [registry],
  });
  const held = new Gauge({
    name: "stage_held_seconds",
    help: "How long the message in hand has been held by a retryable fault; 0 when none is",
    labelNames: ["stage", "topic", "partition"],
    registers: [registry],
  });
  return {
    registry,
    observeAttempt({ stage, delivery, verdict, heldMs }) {
      const { topic, partition } = delivery;
      attempts.inc({ stage, topic, verdict: verdict.kind, code: "code" in verdict ? verdict.code : "" });
      held.set({ stage, topic, partition: String(partition) }, verdict.kind === "retry" ? heldMs / 1000 : 0);
      if (verdict.kind === "retry") return;
      duration.observe({ stage, topic }, heldMs / 1000);
      queueAge.observe({ stage, topic }, Math.max(0, Date.now() - delivery.publishedAt) / 1000);
    },
  };
}
