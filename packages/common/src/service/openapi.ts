import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { CODE_VERSION } from "./service.ts";

/** A service's HTTP interface as OpenAPI 3.1, made of the very schemas that requests are held to, and as a page for people. */

export interface ApiDescription {
  readonly title: string;
  /** One paragraph. */
  readonly description: string;
  readonly operations: readonly Operation[];
  /** What the token of secured operations is, for the page. */
  readonly token?: string;
}

export interface Operation {
  readonly method: "get" | "post";
  /** With parameters in braces. */
  readonly path: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: Content;
  /** Whether it takes a bearer token. */
  readonly secured?: boolean;
  /** By status. */
  readonly answers: Readonly<Record<number, Answer>>;
}

/** JSON of this schema, or bytes of another type, which no schema describes. */
export type Content = z.ZodType | { readonly type: string; readonly description: string };

/** What such an answer means and, where that is said, what is in it. */
export type Answer = string | { readonly description: string; readonly content: Content };

/** Serves the description as `/openapi.json`, and for people as `/docs`. */
export function addApiRoutes(app: FastifyInstance, api: ApiDescription): void {
  const document = openApiDocument(api);
  const page = docsPage(api);
  app.get("/openapi.json", () => document);
  app.get("/docs", (_request, reply) => reply.type("text/html; charset=utf-8").send(page));
}

export function openApiDocument({ title, description, operations }: ApiDescription): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations)
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation) };
  const isSecured = operations.some(({ secured = false }) => secured);
  return {
    openapi: "3.1.0",
    info: { title, version: CODE_VERSION, description },
    paths,
    ...(isSecured ? { components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } } } : {}),
  };
}

function describe({ summary, params, query, headers, body, secured = false, answers }: Operation): object {
  return {
    summary,
    parameters: [
      ...parametersOf("path", params),
      ...parametersOf("query", query),
      ...parametersOf("header", headers),
    ],
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentOf(body, "input") } }),
    ...(secured ? { security: [{ token: [] }] } : {}),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [
        status,
        typeof answer === "string"
          ? { description: answer }
          : { description: answer.description, content: contentOf(answer.content, "output") },
      ]),
    ),
  };
}

const parametersOf = (
  place: "path" | "query" | "header",
  shape: z.ZodObject | undefined,
): readonly object[] =>
  Object.entries(shape?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: place,
    required: place === "path",
    schema: schemaOf(schema as z.ZodType, "input"),
  }));

const contentOf = (content: Content, io: "input" | "output"): object =>
  content instanceof z.ZodType
    ? { "application/json": { schema: schemaOf(content, io) } }
    : { [content.type]: { schema: { description: content.description } } };

function schemaOf(schema: z.ZodType, io: "input" | "output"): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** One page that loads nothing from anywhere. */
function docsPage({ title, description, operations, token }: ApiDescription): string {
  const how =
    token === undefined
      ? ""
      : ` Secured routes need <code>Authorization: Bearer &lt;${escape(token)}&gt;</code>.`;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escape(title)}</title>
<style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}pre{background:#f4f4f4;padding:1rem;overflow:auto}code{font-size:.9em}</style>
<h1>${escape(title)} ${CODE_VERSION}</h1>
<p>${escape(description)} The same as <a href="openapi.json">OpenAPI</a>.${how}</p>
${operations.map(sectionOf).join("\n")}
</html>
`;
}

function sectionOf({
  method,
  path,
  summary,
  params,
  query,
  headers,
  body,
  secured = false,
  answers,
}: Operation): string {
  const parts: readonly (readonly [string, Content | undefined])[] = [
    ["Path", params],
    ["Query", query],
    ["Headers", headers],
    ["Body", body],
  ];
  const shown = parts.flatMap(([name, content]) =>
    content === undefined ? [] : [`<h3>${name}</h3>\n${contentText(content, "input")}`],
  );
  return `<h2><code>${method.toUpperCase()} ${path}</code></h2>
<p>${escape(summary)}.${secured ? " Secured." : ""}</p>
${shown.join("\n")}
<ul>${Object.entries(answers)
    .map(([status, answer]) => `<li><b>${status}</b> ${answerText(answer)}</li>`)
    .join("")}</ul>`;
}

const answerText = (answer: Answer): string =>
  typeof answer === "string"
    ? escape(answer)
    : `${escape(answer.description)}${contentText(answer.content, "output")}`;

const contentText = (content: Content, io: "input" | "output"): string =>
  content instanceof z.ZodType
    ? `<pre>${escape(JSON.stringify(schemaOf(content, io), null, 2))}</pre>`
    : `<p><code>${content.type}</code>: ${escape(content.description)}.</p>`;
