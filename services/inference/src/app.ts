import { createHttpApp, type HttpOptions } from "@flts/common/service/http";
import type { Table } from "@flts/forecasting/table/table";
import type { FastifyInstance } from "fastify";
import type { ComputeStats } from "./compute/compute.ts";
import { takeJsonBodies } from "./json-body.ts";
import type { ModelSlot } from "./model/model-slot.ts";
import type { Admission } from "./predict/admission.ts";
import { type PredictDeps, predict, TIMEOUT_HEADER } from "./predict/predict.ts";
import type { RequestTally } from "./request-tally.ts";

export interface InferenceDeps extends Omit<HttpOptions, "health">, Omit<PredictDeps, "observe"> {
  /** The replica's own station. */
  readonly slot: ModelSlot;
  readonly cachedFrame: () => Table | null;
  readonly admission: Admission;
  readonly compute: () => ComputeStats;
  readonly tally: RequestTally;
  /** From the process's start to its first model; null before that. */
  readonly startupReadyMs: () => number | null;
  readonly maxPending: number;
  /** Looks at the head now; resolves when what it names was tried. */
  readonly reload: () => Promise<void>;
}

/** Inference over HTTP: forecasts, and what operators and load tests ask about (reference behaviour §7.2). */
export function buildApp(deps: InferenceDeps): FastifyInstance {
  const { slot, admission, tally } = deps;
  const app = createHttpApp({
    ...deps,
    health: () => ({
      service: "inference-api",
      model_ready: slot.current() !== null,
      queue_length: admission.stats().waiting,
      startup_ready_ms: deps.startupReadyMs(),
    }),
  });
  takeJsonBodies(app);

  const predictDeps: PredictDeps = { forecast: deps.forecast, clock: deps.clock, observe: tally.observe };
  app.post<{ Querystring: Record<string, unknown> }>("/predict", ({ body, query, headers, raw }, reply) => {
    reply.header("content-type", JSON_TYPE);
    const isPresent = (): boolean => !raw.socket.destroyed;
    return predict(
      { body, query, timeout: headers[TIMEOUT_HEADER] as string | undefined, isPresent },
      predictDeps,
    );
  });

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
    const { pending, waiting, admitted, refused, completed, timedOut, ...times } = admission.stats();
    return {
      status: "ok",
      qsize: waiting,
      enqueued: admitted,
      completed,
      rejected_full: refused,
      timeouts: timedOut,
      active: pending - waiting,
      wait_samples: admitted - waiting,
      total_wait_ms: times.totalWaitMs,
      last_wait_ms: times.lastWaitMs,
      last_duration_ms: times.lastDurationMs,
      predicted_wait_ms: times.predictedWaitMs,
      error_500_total: tally.serverErrors(),
      last_error_type: tally.lastErrorType(),
      workers: deps.compute().threads,
      maxsize: deps.maxPending,
    };
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
  return app;
}

const JSON_TYPE = "application/json; charset=utf-8";
