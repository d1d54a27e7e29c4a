import type { ApiDescription } from "@flts/common/service/openapi";
import {
  promoteBody,
  promotionsQuery,
  rollbackBody,
  roundParams,
  stationQuery,
  versionParams,
} from "./requests.ts";

const refusals = {
  400: "A field of the request is wrong; the text names it",
  401: "No token, or a wrong one",
  403: "No token is set on eval; the text says how to set one",
  404: "There is no such run, or it was never finished",
  409: "Refused; the text says why",
  429: "Too many wrong tokens",
  503: "A backend does not answer; try again",
};

/** Eval's API, by the schemas that its requests are held to. */
export const evalApi: ApiDescription = {
  title: "FLTS eval",
  description: "What was promoted and why, and the door for those who promote by hand.",
  token: "PROMOTION_API_TOKEN",
  operations: [
    {
      method: "post",
      path: "/promote",
      summary: "Makes a run the champion of its station",
      body: promoteBody,
      secured: true,
      answers: { 200: "The champion, and whether an epoch was made for it", ...refusals },
    },
    {
      method: "post",
      path: "/rollback",
      summary: "Makes the model of an earlier epoch the champion again",
      body: rollbackBody,
      secured: true,
      answers: { 200: "The champion, and whether an epoch was made for it", ...refusals },
    },
    {
      method: "get",
      path: "/promotions",
      summary: "The history of a station, the latest promotion first",
      query: promotionsQuery,
      answers: { 200: "Promotions", 400: refusals[400] },
    },
    {
      method: "get",
      path: "/scoreboard/{round}",
      summary: "What was decided about a round: scores, baselines, verdicts and their numbers",
      params: roundParams,
      answers: { 200: "Decisions, the latest first", 400: refusals[400], 404: "Nothing was decided yet" },
    },
    {
      method: "get",
      path: "/models",
      summary: "The models that a station has had, by version",
      query: stationQuery,
      answers: { 200: "Models, the latest first", 400: refusals[400] },
    },
    {
      method: "get",
      path: "/models/{version}",
      summary: "One model: by its version, or as champion or previous",
      params: versionParams,
      query: stationQuery,
      answers: { 200: "The model", 400: refusals[400], 404: "There is no such model" },
    },
  ],
};
