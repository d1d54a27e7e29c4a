import { HttpError } from "@flts/common/service/http";
import type { FastifyInstance } from "fastify";

/**
 * Takes JSON bodies and no others (415). A body of no bytes is undefined, which is not `null`: the one forgot its data, the other asks for the cached
 * frame. Keys such as `__proto__` are plain keys: nothing copies them onto an object.
 */
export function takeJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (_request, text, done) => {
    if (text === "") return done(null, undefined);
    try {
      done(null, JSON.parse(text));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      done(new HttpError(400, `Request body is not valid JSON: ${why}`));
    }
  });
}
