import { createHttpApp, type HttpOptions } from "@flts/common/service/http";
import { addApiRoutes } from "@flts/common/service/openapi";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { addBulkRoute, type BulkLimits } from "./arrow/routes.ts";
import { takeJsonBodies } from "./json-body.ts";
import { addOipRoutes, type OipDeps } from "./oip/routes.ts";
import { inferenceApi } from "./openapi/api.ts";
import { addOperatorRoutes, type OperatorDeps } from "./operator-routes.ts";
import { outcomeOf } from "./predict/observed.ts";
import { TIMEOUT_HEADER, timeoutOf } from "./predict/patience.ts";
import { type PredictDeps, predict } from "./predict/predict.ts";
import { addPublishRoute, type PublishDeps } from "./publish-claims.ts";

export interface InferenceDeps
  extends Omit<HttpOptions, "health">,
    Omit<PredictDeps, "observe">,
    Omit<OperatorDeps, "servedFromCache">,
    Pick<OipDeps, "withChampion"> {
  /** A request whose head or body takes longer to come is refused. */
  readonly slowClientMs: number;
  readonly bulk: BulkLimits;
  /** For load tests; null where the route is switched off. */
  readonly publish: PublishDeps | null;
}

/** Connections are looked at so often for clients that are too slow. */
const SLOW_CLIENT_CHECK_MS = 1_000;

/** Inference over HTTP: forecasts, and what operators and load tests ask about (reference behaviour §7.2). */
export function buildApp(deps: InferenceDeps): FastifyInstance {
  const { slot, admission, tally, cache, slowClientMs } = deps;
  const app = createHttpApp({
    ...deps,
    health: () => ({
      service: "inference-api",
      model_ready: slot.current() !== null,
      queue_length: admission.stats().waiting,
      startup_ready_ms: deps.startupReadyMs(),
    }),
  });
  Object.assign(app.server, {
    headersTimeout: slowClientMs,
    requestTimeout: slowClientMs,
    connectionsCheckingInterval: Math.min(SLOW_CLIENT_CHECK_MS, slowClientMs),
  });
  takeJsonBodies(app);
  addPredictRoute(app, { ...deps, observe: tally.observe });
  addBulkRoute(app, { ...deps, observe: tally.observe, limits: deps.bulk });
  addOipRoutes(app, { ...deps, observe: tally.observe, isReady: () => slot.current() !== null });
  addOperatorRoutes(app, { ...deps, servedFromCache: () => cache?.served() ?? 0 });
  addApiRoutes(app, inferenceApi);
  if (deps.publish !== null) addPublishRoute(app, deps.publish);
  return app;
}

const JSON_TYPE = "application/json; charset=utf-8";

function addPredictRoute(app: FastifyInstance, deps: PredictDeps & Pick<InferenceDeps, "admission">): void {
  const { admission, cache } = deps;
  /** Before the body is read. With a cache that is too early: it may know the answer. */
  const refuseEarly = (
    { headers }: FastifyRequest<PredictRoute>,
    _reply: FastifyReply,
    done: (error?: Error) => void,
  ): void => {
    try {
      admission.check({ timeoutMs: timeoutOf(headers[TIMEOUT_HEADER]) });
      done();
    } catch (error) {
      deps.observe({ outcome: outcomeOf(error), durationMs: 0, error });
      done(error as Error);
    }
  };
  app.post<PredictRoute>(
    "/predict",
    { onRequest: cache === null ? [refuseEarly] : [] },
    ({ body, query, headers, raw }, reply) => {
      reply.header("content-type", JSON_TYPE);
      const isPresent = (): boolean => !raw.socket.destroyed;
      return predict({ body, query, timeout: headers[TIMEOUT_HEADER], isPresent }, deps);
    },
  );
}

interface PredictRoute {
  Querystring: Record<string, unknown>;
  Body: string | undefined;
  Headers: { readonly [TIMEOUT_HEADER]?: string };
}
