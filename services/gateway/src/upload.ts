import type { IncomingMessage } from "node:http";
import { hasCode } from "@flts/common/contracts/errors";
import { describeRef, type ObjectRef, type ObjectStore } from "@flts/common/ports/object-store";
import { HttpError } from "@flts/common/service/http";

export interface UploadLimits {
  readonly buckets: readonly string[];
  readonly maxBytes: number;
}

/**
 * Streams a request's body into the store and returns its size in bytes. Nothing is written unless all of it came.
 * Refuses with 403 another bucket, 400 an empty or broken-off body, 413 one that is too large.
 */
export async function receiveUpload(
  store: ObjectStore,
  ref: ObjectRef,
  body: IncomingMessage,
  { buckets, maxBytes }: UploadLimits,
): Promise<number> {
  if (!buckets.includes(ref.bucket))
    throw new HttpError(403, `Uploads go to ${buckets.join(", ")}, not to ${ref.bucket}`);
  if (Number(body.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  try {
    const content = await notEmpty(body);
    await store.ensureBucket(ref.bucket);
    const { sizeBytes } = await store.put(ref, content, {
      maxBytes,
      contentType: "application/octet-stream",
    });
    return sizeBytes;
  } catch (error) {
    if (hasCode(error, "OBJECT_TOO_LARGE")) throw tooLarge(maxBytes);
    if (error instanceof HttpError || !brokeOff(body)) throw error;
    throw new HttpError(400, `The body broke off, nothing was stored: ${describeRef(ref)}`);
  }
}

const tooLarge = (maxBytes: number): HttpError =>
  new HttpError(413, `An upload has at most ${maxBytes} bytes (UPLOAD_MAX_BYTES)`);

/** Whether the client went away before its body had come; a body that we stopped reading has not broken off. */
const brokeOff = (body: IncomingMessage): boolean => body.errored !== null && !body.complete;

/** The body without a change, once its first bytes are there. */
async function notEmpty(body: IncomingMessage): Promise<AsyncIterable<Uint8Array>> {
  // Destroying a request destroys its socket, and with it the answer that says why.
  const chunks: AsyncIterator<Uint8Array> = body.iterator({ destroyOnReturn: false });
  const first = await chunks.next();
  if (first.done === true) throw new HttpError(400, "The body is empty: send the object's bytes");
  return (async function* () {
    try {
      yield first.value;
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  })();
}
