import { HttpError } from "@flts/common/service/http";
import type { FastifyInstance } from "fastify";

/** Takes JSON bodies as text and no others (415): {@link parseJson} reads them, where the response cache has not answered before. */
export function takeJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (_request, text, done) =>
    done(null, text),
  );
}

/**
 * A body's value. One of no bytes, or none at all, is undefined, which is not `null`: the one forgot its data, the other asks for the cached frame. Keys such as
 * `__proto__` are plain keys: nothing copies them onto an object.
 * @throws HttpError 400
 */
export function parseJson(body: unknown): unknown {
  if (typeof body !== "string" || body === "") return undefined;
  try {
    return JSON.parse(body);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new HttpError(400, `Request body is not valid JSON: ${why}`);
  }
}
