import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { faultOf } from "./s3-errors.ts";

/** The part of a GetObject answer that carries bytes. */
export interface S3Body {
  readonly Body?: unknown;
  readonly ContentLength?: number | undefined;
}

/** All bytes of an answer, in memory of their own. @throws when there are fewer than announced */
export async function readBody(answer: S3Body): Promise<Uint8Array> {
  const { body, sizeBytes } = bodyOf(answer);
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  let filled = 0;
  body.on("data", (chunk: Uint8Array) => {
    bytes.set(chunk, filled);
    filled += chunk.byteLength;
  });
  await finished(body);
  return bytes;
}

/** Lets an answer's bytes go unread. */
export const discardBody = (answer: S3Body): unknown => bodyOf(answer).body.destroy();

/**
 * An answer's bytes in chunks as they come. Returning the iterator, also an unused one, frees the connection. Fewer bytes than announced are an
 * error: Node's HTTP sees that the connection ended early.
 * @throws STORE_UNAVAILABLE in the middle, when the connection breaks
 */
export function chunksOf(answer: S3Body, subject: string): AsyncIterable<Uint8Array> {
  const { body } = bodyOf(answer);
  const chunks = readChunks(body, subject);
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => chunks.next(),
      return: async () => {
        // A generator that has not begun has no `finally` to run.
        body.destroy();
        return chunks.return(undefined);
      },
    }),
  };
}

async function* readChunks(body: Readable, subject: string): AsyncGenerator<Uint8Array, undefined> {
  try {
    yield* body as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw faultOf(error, subject).error;
  }
  return undefined;
}

function bodyOf({ Body, ContentLength }: S3Body): { readonly body: Readable; readonly sizeBytes: number } {
  if (!(Body instanceof Readable) || ContentLength === undefined)
    throw new Error("the S3 store has answered without a body or its length");
  // A connection that breaks before anybody reads must not end the process: the reader meets the error.
  Body.on("error", () => undefined);
  return { body: Body, sizeBytes: ContentLength };
}
