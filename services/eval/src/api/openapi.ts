import { CODE_VERSION } from "@flts/common/service/service";
import { z } from "zod";
import {
  promoteBody,
  promotionsQuery,
  rollbackBody,
  roundParams,
  stationQuery,
  versionParams,
} from "./requests.ts";

/** Eval's API as OpenAPI 3.1, made of the very schemas that requests are held to. */

interface Operation {
  readonly method: "get" | "post";
  readonly path: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  readonly answers: Readonly<Record<number, string>>;
}

const refusals = {
  400: "A field of the request is wrong; the text names it",
  401: "No token, or a wrong one",
  403: "No token is set on eval; the text says how to set one",
  404: "There is no such run, or it was never finished",
  409: "Refused; the text says why",
  429: "Too many wrong tokens",
  503: "A backend does not answer; try again",
};

const operations: readonly Operation[] = [
  {
    method: "post",
    path: "/promote",
    summary: "Makes a run the champion of its station",
    body: promoteBody,
    answers: { 200: "The champion, and whether an epoch was made for it", ...refusals },
  },
  {
    method: "post",
    path: "/rollback",
    summary: "Makes the model of an earlier epoch the champion again",
    body: rollbackBody,
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
];

const schemaOf = (schema: z.ZodType): object => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return rest;
};

const parametersOf = (place: "path" | "query", shape: z.ZodObject | undefined): readonly object[] =>
  Object.entries(shape?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: place,
    required: place === "path",
    schema: schemaOf(schema as z.ZodType),
  }));

const describe = ({ summary, params, query, body, answers }: Operation): object => ({
  summary,
  parameters: [...parametersOf("path", params), ...parametersOf("query", query)],
  ...(body === undefined
    ? {}
    : {
        requestBody: { required: true, content: { "application/json": { schema: schemaOf(body) } } },
        security: [{ token: [] }],
      }),
  responses: Object.fromEntries(
    Object.entries(answers).map(([status, description]) => [status, { description }]),
  ),
});

export const openApi = {
  openapi: "3.1.0",
  info: {
    title: "FLTS eval",
    version: CODE_VERSION,
    description: "What was promoted and why, and the door for those who promote by hand.",
  },
  paths: Object.fromEntries(
    operations.map((operation) => [operation.path, { [operation.method]: describe(operation) }]),
  ),
  components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
};

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** The same for people: one page that loads nothing from anywhere. */
export const docsPage = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>FLTS eval</title>
<style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}pre{background:#f4f4f4;padding:1rem;overflow:auto}code{font-size:.9em}</style>
<h1>FLTS eval ${CODE_VERSION}</h1>
<p>${escape(openApi.info.description)} The same as <a href="openapi.json">OpenAPI</a>.
Writing routes need <code>Authorization: Bearer &lt;PROMOTION_API_TOKEN&gt;</code>.</p>
${operations.map(sectionOf).join("\n")}
</html>
`;

function sectionOf({ method, path, summary, params, query, body, answers }: Operation): string {
  const fields = [params, query, body].flatMap((schema) => (schema === undefined ? [] : [schemaOf(schema)]));
  return `<h2><code>${method.toUpperCase()} ${path}</code></h2>
<p>${escape(summary)}.</p>
${fields.map((schema) => `<pre>${escape(JSON.stringify(schema, null, 2))}</pre>`).join("\n")}
<ul>${Object.entries(answers)
    .map(([status, text]) => `<li><b>${status}</b> ${escape(text)}</li>`)
    .join("")}</ul>`;
}
