import { FltsError, hasCode } from "@flts/common/contracts/errors";
import { createHttpApp, HttpError, type HttpOptions } from "@flts/common/service/http";
import { addApiRoutes } from "@flts/common/service/openapi";
import { parsePart } from "@flts/common/service/request-part";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type BookDeps, decisionsAbout, lastPromotions, modelsOf } from "../promotion/books.ts";
import type { Door, Passage } from "../promotion/door.ts";
import type { Ledger } from "../promotion/ledger.ts";
import { evalApi } from "./openapi.ts";
import {
  promoteBody,
  promotionsQuery,
  rollbackBody,
  roundParams,
  stationQuery,
  versionParams,
} from "./requests.ts";
import type { TokenGuard } from "./token.ts";

export interface EvalAppDeps extends HttpOptions, BookDeps {
  readonly door: Door;
  readonly ledger: Ledger;
  readonly guard: TokenGuard;
}

/** Eval over HTTP: what was promoted and why, and the door for those who promote by hand. */
export function buildApp(deps: EvalAppDeps): FastifyInstance {
  const { door, ledger, guard } = deps;
  const app = createHttpApp(deps);

  /** Before the body is read: who may not promote learns nothing of what a good request is. */
  const onRequest = async (request: FastifyRequest): Promise<void> => {
    try {
      guard.admit(request.ip, request.headers.authorization);
    } catch (error) {
      deps.log.warn("promotion_unauthorized", {
        path: request.url,
        from: request.ip,
        status: error instanceof HttpError ? error.refusal.status : null,
      });
      throw error;
    }
  };

  app.post("/promote", { onRequest }, ({ body }) =>
    answerOf(async () => door.promote(parsePart(promoteBody, body, "body"))),
  );
  app.post("/rollback", { onRequest }, ({ body }) =>
    answerOf(async () => {
      const { toEpoch = null, ...order } = parsePart(rollbackBody, body, "body");
      return door.rollback({ ...order, toEpoch });
    }),
  );

  app.get("/promotions", async ({ query }) => {
    const { identifier, limit } = parsePart(promotionsQuery, query, "query");
    return { identifier, promotions: await lastPromotions(identifier, limit, ledger) };
  });

  app.get("/scoreboard/:round", async ({ params }) => {
    const { round } = parsePart(roundParams, params, "round");
    const decisions = await decisionsAbout(round, deps);
    if (decisions.length === 0) throw new HttpError(404, `nothing was decided about round ${round} yet`);
    return { round, decisions };
  });

  const modelsIn = async (query: unknown) => {
    const { identifier } = parsePart(stationQuery, query, "query");
    const promotions = await lastPromotions(identifier, Number.POSITIVE_INFINITY, ledger);
    return { identifier, models: modelsOf(promotions) };
  };
  app.get("/models", ({ query }) => modelsIn(query));
  app.get("/models/:version", async ({ params, query }) => {
    const { version } = parsePart(versionParams, params, "version");
    const { identifier, models } = await modelsIn(query);
    const model = models.find((one) => one.version === version || one.aliases.includes(version));
    if (model === undefined) throw new HttpError(404, `there is no model ${version}`);
    return { identifier, ...model };
  });

  addApiRoutes(app, evalApi);
  return app;
}

/** What a promotion by hand came to, or the reason why not, with a status that says whose turn it is. */
async function answerOf(work: () => Promise<Passage>): Promise<Passage> {
  try {
    return await work();
  } catch (error) {
    if (hasCode(error, "RUN_MISSING")) throw new HttpError(404, error.message);
    if (isRefusal(error)) throw new HttpError(409, error.message);
    throw error;
  }
}

const isRefusal = (error: unknown): error is FltsError =>
  hasCode(error, "PROMOTION_REFUSED", "ARTIFACT_INVALID", "MODEL_UNKNOWN");
