import { inferenceData } from "@flts/common/contracts/events";
import { isStation } from "@flts/common/contracts/layout";
import { emit } from "@flts/common/contracts/topic";
import type { Clock } from "@flts/common/ports/clock";
import type { MessageLog, OutgoingMessage } from "@flts/common/ports/message-log";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { HttpError } from "@flts/common/service/http";
import { DEADLINE_HEADER } from "@flts/common/stage/deadline";
import { toMessage } from "@flts/common/stage/runner";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { parseJson } from "./json-body.ts";
import { presentTableClaim } from "./processed-table.ts";

export interface PublishDeps {
  readonly messageLog: Pick<MessageLog, "publish">;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly topic: string;
  /** The bucket that claims may name, and the table that is claimed unless another is named. */
  readonly bucket: string;
  readonly objectName: string;
}

/** Messages handed to the log at once. */
const CHUNK = 1_000;

/**
 * `POST /publish_inference_claims`: claims by the thousand on one table, for load tests (reference behaviour §2.4). They are whole claims, with the size and, where
 * the table's head is known, the digest that the reference left out.
 */
export function addPublishRoute(app: FastifyInstance, deps: PublishDeps): void {
  const { messageLog, store, clock, topic, bucket, objectName } = deps;
  const request = z.object({
    bucket: z.literal(bucket).default(bucket),
    object_key: z.string().min(1).max(1024).default(objectName),
    count: z.number().int().min(1).max(500_000).default(1),
    ttl_ms: z.number().int().min(1).max(86_400_000).nullish(),
    key_prefix: z.string().max(200).nullish(),
    identifier: z.string().refine(isStation, "must name a station").nullish(),
  });

  app.post("/publish_inference_claims", async ({ body }) => {
    const parsed = request.safeParse(parseJson(body) ?? {});
    if (!parsed.success) throw unprocessable(parsed.error);
    const { object_key, count, ttl_ms: ttlMs, key_prefix: prefix, identifier: given } = parsed.data;
    const identifier = given ?? "";
    const claim = await claimOn(object_key, identifier);
    const event = inferenceData.schema.parse({ ...claim, identifier, operation: "post: test data" });
    const message: OutgoingMessage = {
      ...toMessage({ ...emit(inferenceData, event), topic }),
      ...(typeof ttlMs === "number" ? { headers: { [DEADLINE_HEADER]: String(clock.now() + ttlMs) } } : {}),
    };
    for (let from = 0; from < count; from += CHUNK) {
      const numbers = Array.from({ length: Math.min(CHUNK, count - from) }, (_, index) => from + index);
      await messageLog.publish(
        numbers.map((number) =>
          typeof prefix === "string" ? { ...message, key: `${prefix}-${number}` } : message,
        ),
      );
    }
    return { status: "ok", published: count, topic };
  });

  /** An object of that key, or else the present table of that name. */
  async function claimOn(key: string, identifier: string) {
    const info = await store.head({ bucket, key });
    if (info !== null) return { bucket, object: key, size: info.sizeBytes };
    return presentTableClaim(store, { bucket, identifier, objectName: key });
  }
}

const unprocessable = ({ issues }: z.ZodError): HttpError =>
  new HttpError(
    422,
    issues.map(({ code, path, message }) => ({ type: code, loc: ["body", ...path], msg: message })),
  );
