import type { ObjectStore } from "@flts/common/ports/object-store";
import { createHttpApp, type HttpOptions } from "@flts/common/service/http";
import type { FastifyInstance } from "fastify";
import { openDownload } from "./download.ts";
import { parseObjectPath } from "./object-path.ts";
import { receiveUpload } from "./upload.ts";

export interface GatewayDeps extends Omit<HttpOptions, "bodyLimitBytes"> {
  readonly store: ObjectStore;
  readonly uploadBuckets: readonly string[];
  readonly downloadBuckets: readonly string[];
  readonly uploadMaxBytes: number;
}

/** The gateway: objects in and out over HTTP (reference behaviour §3.2), for clients that do not speak S3. */
export function buildApp(deps: GatewayDeps): FastifyInstance {
  const { store, log } = deps;
  const app = createHttpApp({ ...deps, bodyLimitBytes: deps.uploadMaxBytes });
  // Whatever its type, a body is bytes on their way to the store.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, body, done) => done(null, body));

  const limits = { buckets: deps.uploadBuckets, maxBytes: deps.uploadMaxBytes };
  app.post("/upload/:bucket/*", async (request) => {
    try {
      const ref = parseObjectPath(request.url);
      const sizeBytes = await receiveUpload(store, ref, request.raw, limits);
      log.info("upload_done", { bucket: ref.bucket, objectName: ref.key, sizeBytes });
      return { status: "success", bucket: ref.bucket, object_name: ref.key, size_bytes: sizeBytes };
    } catch (error) {
      log.warn("upload_refused", { path: request.url, reason: reasonOf(error) });
      throw error;
    }
  });

  app.get("/download/:bucket/*", { exposeHeadRoute: false }, async (request, reply) => {
    const { range, "if-range": ifRange } = request.headers;
    const ref = parseObjectPath(request.url);
    const { status, headers, body } = await openDownload(store, ref, deps.downloadBuckets, {
      range,
      ifRange,
    });
    return reply.code(status).headers(headers).send(body);
  });
  return app;
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
