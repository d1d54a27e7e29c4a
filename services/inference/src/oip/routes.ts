import { stationOf } from "@flts/common/contracts/identity";
import { answerError, HttpError } from "@flts/common/service/http";
import type { Logger } from "@flts/common/service/logger";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Champion } from "../model/model-slot.ts";
import { type Observing, observed } from "../predict/observed.ts";
import { TIMEOUT_HEADER, timeoutOf } from "../predict/patience.ts";
import type { ChampionCall, WithChampion } from "../predict/with-champion.ts";
import { infer, readInferRequest } from "./infer.ts";
import { modelMetadata, serverMetadata } from "./metadata.ts";

export interface OipDeps extends Observing {
  readonly withChampion: WithChampion;
  /** Whether the replica's own station has a model. */
  readonly isReady: () => boolean;
  readonly log: Logger;
}

interface ModelRoute {
  Params: { readonly name: string; readonly version?: string };
  Body: string | undefined;
  Headers: { readonly [TIMEOUT_HEADER]?: string };
}

/**
 * The REST half of the Open Inference Protocol, version 2, with JSON tensors
 * (https://github.com/kserve/open-inference-protocol): the champion of a station is a model of that name.
 */
export function addOipRoutes(app: FastifyInstance, deps: OipDeps): void {
  void app.register(
    async (scope) => {
      speakProtocol(scope, deps.log);
      scope.get("/", () => serverMetadata);
      scope.get("/health/live", () => ({ live: true }));
      scope.get("/health/ready", (_request, reply) => {
        const ready = deps.isReady();
        return reply.code(ready ? 200 : 503).send({ ready });
      });
      for (const model of ["/models/:name", "/models/:name/versions/:version"])
        addModelRoutes(scope, model, deps);
    },
    { prefix: "/v2" },
  );
}

function addModelRoutes(scope: FastifyInstance, model: string, deps: OipDeps): void {
  const { withChampion } = deps;
  scope.get<ModelRoute>(model, (request) =>
    withChampion(callOf(request), async (champion) => {
      checkVersion(champion, request.params);
      return modelMetadata(champion);
    }),
  );
  scope.get<ModelRoute>(`${model}/ready`, (request) =>
    withChampion(callOf(request), async (champion) => {
      checkVersion(champion, request.params);
      return { name: request.params.name, ready: true };
    }),
  );
  scope.post<ModelRoute>(`${model}/infer`, (request) =>
    observed(deps, async () => {
      if ("inference-header-content-length" in request.headers)
        throw new HttpError(400, "Binary tensors are not taken: send data as JSON (binary_data=False)");
      const wanted = readInferRequest(request.body);
      return withChampion(callOf(request), (champion, job) => {
        checkVersion(champion, request.params);
        return infer(wanted, champion, job);
      });
    }),
  );
}

function callOf({ params, headers, raw }: FastifyRequest<ModelRoute>): ChampionCall {
  return {
    identifier: params.name,
    timeoutMs: timeoutOf(headers[TIMEOUT_HEADER]),
    isPresent: () => !raw.socket.destroyed,
  };
}

function checkVersion({ promotion }: Champion, { version }: ModelRoute["Params"]): void {
  const served = String(promotion.epoch);
  if (version === undefined || version === served) return;
  throw new HttpError(
    404,
    `model '${stationOf(promotion.identifier)}' has no version ${JSON.stringify(version.slice(0, 60))}: version ${served} is served`,
  );
}

/** The protocol's ways: errors under `error`, and bodies whose type its clients do not care to name. */
function speakProtocol(scope: FastifyInstance, log: Logger): void {
  scope.setErrorHandler((error, request, reply) => answerError(error, request, reply, log, errorBody));
  scope.setNotFoundHandler((_request, reply) => reply.code(404).send(errorBody("Not Found")));
  scope.addContentTypeParser<string>("*", { parseAs: "string" }, ({ headers }, text, done) => {
    if (headers["content-type"] === undefined) done(null, text);
    else
      done(
        new HttpError(415, `Content-Type ${headers["content-type"].slice(0, 60)} is not application/json`),
      );
  });
}

const errorBody = (detail: unknown): object => ({
  error: typeof detail === "string" ? detail : JSON.stringify(detail),
});
