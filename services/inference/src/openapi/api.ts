import type { ApiDescription, Content, Operation } from "@flts/common/service/openapi";
import { z } from "zod";
import { bulkQuery } from "../arrow/query.ts";
import { ARROW_TYPE } from "../arrow/routes.ts";
import { inferRequest, modelParams, versionParams } from "../oip/request.ts";
import { MAX_WORKERS } from "../operator-routes.ts";
import { patienceHeader, predictAnswer, predictBody, predictQuery } from "./predict-schemas.ts";

const refusals = {
  400: "A field of the request is wrong; the text names it",
  404: "The station has no promoted model",
  413: "The request is too large",
  415: "The body is of another type",
  429: "Busy; Retry-After says when to come back",
  503: "No model is served yet",
  504: "Not done within the time that the client or the service allows",
};

const arrow = (description: string): Content => ({ type: ARROW_TYPE, description });

const forecasts: readonly Operation[] = [
  {
    method: "post",
    path: "/predict",
    summary: "Forecasts the steps after the rows of a request, in raw units",
    query: predictQuery,
    headers: patienceHeader,
    body: predictBody,
    answers: {
      200: { description: "A forecast with its intervals", content: predictAnswer },
      422: "A field is of the wrong shape; the list names it",
      ...refusals,
    },
  },
  {
    method: "post",
    path: "/predict/bulk",
    summary: "Forecasts many series at once, as Arrow streams",
    query: bulkQuery,
    headers: patienceHeader,
    body: arrow("Rows with a time stamp, the model's columns and a series; record batches of bounded size"),
    answers: {
      200: {
        description: "Forecasts, in batches as they are computed",
        content: arrow(
          "series, ts and of each target <target>, <target>_lower, <target>_upper; not finite ones are null",
        ),
      },
      ...refusals,
    },
  },
];

const modelPaths = [
  { path: "/v2/models/{name}", params: modelParams },
  { path: "/v2/models/{name}/versions/{version}", params: versionParams },
];

const protocol: readonly Operation[] = [
  {
    method: "get",
    path: "/v2",
    summary: "Open Inference Protocol: the server",
    answers: { 200: "Name, version, extensions" },
  },
  {
    method: "get",
    path: "/v2/health/live",
    summary: "Whether the server is alive",
    answers: { 200: "It is" },
  },
  {
    method: "get",
    path: "/v2/health/ready",
    summary: "Whether the replica's own station has a model",
    answers: { 200: "It has", 503: "It has none" },
  },
  ...modelPaths.flatMap(({ path, params }): readonly Operation[] => [
    {
      method: "get",
      path,
      summary: "A station's champion and its tensors",
      params,
      answers: { 200: "Its metadata", 404: "There is no such model or version", 503: refusals[503] },
    },
    {
      method: "get",
      path: `${path}/ready`,
      summary: "Whether a station has a champion",
      params,
      answers: { 200: "It has", 404: "There is no such model or version", 503: refusals[503] },
    },
    {
      method: "post",
      path: `${path}/infer`,
      summary: "Forecasts windows given as JSON tensors",
      params,
      headers: patienceHeader,
      body: inferRequest,
      answers: { 200: "The tensors forecast, lower and upper", ...refusals },
    },
  ]),
];

const operators: readonly Operation[] = [
  {
    method: "get",
    path: "/healthz",
    summary: "Whether the process is alive",
    answers: { 200: "It is, and its state in short" },
  },
  {
    method: "get",
    path: "/readyz",
    summary: "Whether it can do its work, part by part",
    answers: { 200: "It can", 503: "It cannot, and what is missing" },
  },
  {
    method: "get",
    path: "/ready",
    summary: "Whether a model is served",
    answers: { 200: "One is", 503: "None is" },
  },
  {
    method: "get",
    path: "/predict_ping",
    summary: "The model's lengths, and whether anybody is served",
    answers: { 200: "State" },
  },
  {
    method: "get",
    path: "/queue_stats",
    summary: "Counters of requests, waits and threads",
    answers: { 200: "Counters" },
  },
  {
    method: "post",
    path: "/reload_latest",
    summary: "Looks at the head now",
    answers: { 200: "What is served after that" },
  },
  {
    method: "post",
    path: "/scale_workers",
    summary: "Starts or ends threads that compute forecasts",
    body: z.object({ workers: z.int().min(1).max(MAX_WORKERS) }),
    answers: { 200: "How many there were and are", 400: refusals[400] },
  },
];

/** Inference's interface. The route that publishes claims for load tests is left out: it is there only where an operator switched it on. */
export const inferenceApi: ApiDescription = {
  title: "FLTS inference",
  description:
    "Forecasts of the load of mobile base stations, by each station's promoted model. A bare 500 is a fault of the service, whose log tells it.",
  operations: [...forecasts, ...protocol, ...operators],
};
