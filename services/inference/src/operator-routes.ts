import { HttpError } from "@flts/common/service/http";
import type { Table } from "@flts/forecasting/table/table";
import type { FastifyInstance } from "fastify";
import type { ComputeStats } from "./compute/compute.ts";
import { parseJson } from "./json-body.ts";
import type { ModelSlot } from "./model/model-slot.ts";
import type { Admission } from "./predict/admission.ts";
import type { RequestTally } from "./request-tally.ts";

export interface OperatorDeps {
  /** Of the replica's own station. */
  readonly slot: ModelSlot;
  readonly cachedFrame: () => Table | null;
  readonly admission: Admission;
  readonly compute: () => ComputeStats;
  /** Starts or ends threads until there are so many. */
  readonly resize: (threads: number) => Promise<void>;
  readonly tally: RequestTally;
  readonly servedFromCache: () => number;
  /** From the process's start to its first model; null before that. */
  readonly startupReadyMs: () => number | null;
  readonly maxPending: number;
  /** Looks at the head now; resolves when what it names was tried. */
  readonly reload: () => Promise<void>;
}

/** As many threads as the reference's pool may have processes. */
export const MAX_WORKERS = 64;

/** What operators and load tests ask and tell a replica, beside probes and metrics (reference behaviour §7.2). */
export function addOperatorRoutes(app: FastifyInstance, deps: OperatorDeps): void {
  const { slot, admission, tally, compute } = deps;

  app.get("/predict_ping", () => {
    const champion = slot.current();
    return {
      status: "ok",
      model_loaded: champion !== null,
      has_df: deps.cachedFrame() !== null,
      busy: admission.stats().pending > 0,
      input_seq_len: champion?.model.window ?? null,
      output_seq_len: champion?.model.horizon ?? null,
    };
  });

  app.get("/ready", (_request, reply) =>
    slot.current() === null ? reply.code(503).send({ status: "not_ready" }) : reply.send({ status: "ready" }),
  );

  app.get("/queue_stats", () => {
    const stats = admission.stats();
    const { threads, busy, oldestWaitMs } = compute();
    return {
      status: "ok",
      qsize: stats.waiting,
      enqueued: stats.admitted,
      completed: stats.completed,
      rejected_full: stats.refused,
      // Nobody is refused because others are at work, as the reference did.
      rejected_busy: 0,
      timeouts: stats.timedOut,
      active: stats.pending - stats.waiting,
      served_cached: deps.servedFromCache(),
      wait_samples: stats.admitted - stats.waiting,
      total_wait_ms: stats.totalWaitMs,
      last_wait_ms: stats.lastWaitMs,
      last_duration_ms: stats.lastDurationMs,
      predicted_wait_ms: stats.predictedWaitMs,
      oldest_wait_ms: oldestWaitMs,
      error_500_total: tally.serverErrors(),
      last_error_type: tally.lastErrorType(),
      workers: threads,
      workers_busy: busy,
      maxsize: deps.maxPending,
    };
  });

  app.post("/scale_workers", async ({ body }) => {
    const wanted = workersOf(parseJson(body));
    const old = compute().threads;
    await deps.resize(wanted);
    const status = old === wanted ? "no_change" : "pool_reinitialized";
    return { old_workers: old, new_workers: wanted, status };
  });

  app.post("/reload_latest", async () => {
    await deps.reload();
    const promotion = slot.current()?.promotion;
    return {
      status: promotion === undefined ? "not_loaded" : "loaded",
      run_id: promotion?.run_id ?? null,
      model_type: promotion?.model_type ?? null,
      config_hash: promotion?.config_hash ?? null,
    };
  });
}

function workersOf(body: unknown): number {
  const workers = typeof body === "object" && body !== null && "workers" in body ? body.workers : undefined;
  if (typeof workers !== "number" || !Number.isInteger(workers))
    throw new HttpError(400, "Invalid 'workers' value");
  if (workers < 1 || workers > MAX_WORKERS)
    throw new HttpError(400, `workers must be between 1 and ${MAX_WORKERS}`);
  return workers;
}
