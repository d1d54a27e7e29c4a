/**
 * Writing objects. A write that counts (a condition, or parts put together) leaves a *receipt* in the object's metadata: a number that was never
 * used before. It answers the one question that S3 leaves open:
 *
 * - W1 A conditional write whose answer was lost must not be taken for lost: the store's "precondition failed" to its repetition may be due to
 *   the write itself. Whoever finds their own receipt on the object has written it. Equal bytes would prove nothing, for two writers may
 *   race with the same bytes, and only one of them may win.
 * - W2 Another receipt proves nothing either: ours may have been there and been replaced. Then the write fails as STORE_UNAVAILABLE, which
 *   says that nobody knows; OBJECT_CONFLICT is kept for writes that are known to have changed nothing.
 * - W3 What fails leaves nothing: the parts of an upload are given up, once none of them is on its way any more.
 */

import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { FltsError, hasCode } from "@flts/common/contracts/errors";
import {
  describeRef,
  type ObjectInfo,
  type ObjectRef,
  type PutOptions,
} from "@flts/common/ports/object-store";
import { cutIntoParts, type Part, tooLarge } from "./parts.ts";
import { type Persistence, persist } from "./persist.ts";
import { orNull } from "./s3-errors.ts";

/** Memory of a streamed write is (partsAtOnce + 1) × partBytes. */
const partBytes = 8 * 1024 * 1024;
const partsAtOnce = 3;
/** S3's limit: with parts of this size an object has at most 78 GiB. */
const maxParts = 10_000;
const receiptName = "flts-receipt";

export interface S3Writer {
  write(
    ref: ObjectRef,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options?: PutOptions,
  ): Promise<ObjectInfo>;
}

export function createS3Writer(client: S3Client, persistence: Persistence): S3Writer {
  const persistently = <Output>(
    ref: ObjectRef,
    send: () => Promise<Output>,
    afterLostAnswer?: () => Promise<Output>,
  ): Promise<Output> =>
    persist(
      { subject: describeRef(ref), send, ...(afterLostAnswer ? { afterLostAnswer } : {}) },
      persistence,
    );

  /** The ETag of the object if the receipt on it is ours (W1). @throws STORE_UNAVAILABLE when nobody can tell (W2) */
  const recognise = async ({ ref, place, receipt }: Write): Promise<string> => {
    const present = await orNull(persistently(ref, () => client.send(new HeadObjectCommand(place))));
    if (present?.Metadata?.[receiptName] === receipt) return etagOf(present.ETag);
    throw new FltsError(
      "STORE_UNAVAILABLE",
      `The answer to a write was lost, and nobody can tell whether it came first: read the object again (${describeRef(ref)})`,
    );
  };

  const writeWhole = async (write: Write, body: Uint8Array): Promise<ObjectInfo> => {
    const { ref, place, content, condition, receipt } = write;
    const send = async (): Promise<string> => {
      const headers = {
        ...content,
        ...(condition && { ...condition, Metadata: { [receiptName]: receipt } }),
      };
      const command = new PutObjectCommand({ ...place, ...headers, Body: body });
      return etagOf((await client.send(command)).ETag);
    };
    const etag = await persistently(ref, send, condition && (() => recognise(write)));
    return { etag, sizeBytes: body.byteLength };
  };

  const writeInParts = async (write: Write, parts: AsyncIterable<Part>): Promise<ObjectInfo> => {
    const { ref, place, content, condition, receipt } = write;
    const headers = { ...content, Metadata: { [receiptName]: receipt } };
    const { UploadId } = await persistently(ref, () =>
      client.send(new CreateMultipartUploadCommand({ ...place, ...headers })),
    );
    const upload = { ...place, UploadId };
    const complete = async (Parts: CompletedPart[]): Promise<string> => {
      const command = new CompleteMultipartUploadCommand({
        ...upload,
        ...condition,
        MultipartUpload: { Parts },
      });
      return etagOf((await client.send(command)).ETag);
    };
    const onTheirWay = new Set<Promise<unknown>>();
    try {
      const sent: Promise<CompletedPart>[] = [];
      let sizeBytes = 0;
      for await (const { bytes } of parts) {
        sizeBytes += bytes.byteLength;
        const sending = sendPart(ref, { ...upload, PartNumber: sent.length + 1 }, bytes);
        sent.push(sending);
        onTheirWay.add(sending);
        // Only tidies up: a failure is met where `sending` is awaited.
        void sending.finally(() => onTheirWay.delete(sending)).catch(() => undefined);
        if (onTheirWay.size >= partsAtOnce) await Promise.race(onTheirWay);
      }
      const completed = await Promise.all(sent);
      const etag = await persistently(
        ref,
        () => complete(completed),
        () => recognise(write),
      );
      return { etag, sizeBytes };
    } catch (error) {
      await Promise.allSettled(onTheirWay);
      // Best effort: a store that is away keeps the parts, until its own rule for unfinished uploads takes them.
      await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
      throw error;
    }
  };

  const sendPart = async (ref: ObjectRef, part: PartPlace, body: Uint8Array): Promise<CompletedPart> => {
    const { ETag } = await persistently(ref, () =>
      client.send(new UploadPartCommand({ ...part, Body: body })),
    );
    return { PartNumber: part.PartNumber, ETag };
  };

  const writeBody = async (
    write: Write,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    maxBytes: number,
  ): Promise<ObjectInfo> => {
    const subject = describeRef(write.ref);
    if (body instanceof Uint8Array) {
      if (body.byteLength > maxBytes) throw tooLarge(maxBytes, subject);
      return writeWhole(write, body);
    }
    const limit = Math.min(maxBytes, maxParts * partBytes);
    const parts = cutIntoParts(body, { partBytes, maxBytes: limit, subject });
    try {
      const first = await parts.next();
      if (first.done === true) throw new Error("a stream has one part at least");
      return await (first.value.last
        ? writeWhole(write, first.value.bytes)
        : writeInParts(write, startingWith(first.value, parts)));
    } finally {
      // Where the write failed between two parts, the sender is told that no more is wanted.
      await parts.return(undefined);
    }
  };

  return {
    async write(ref, body, { condition, contentType, maxBytes = Number.POSITIVE_INFINITY } = {}) {
      const write: Write = {
        ref,
        place: { Bucket: ref.bucket, Key: ref.key },
        receipt: persistence.random.hex(16),
        content: contentType === undefined ? {} : { ContentType: contentType },
        condition: condition && conditionHeaders(condition),
      };
      try {
        return await writeBody(write, body, maxBytes);
      } catch (error) {
        if (!hasCode(error, "OBJECT_MISSING")) throw error;
        // What many stores say to `If-Match` where there is nothing; some say "precondition failed".
        throw new FltsError("OBJECT_CONFLICT", `The object is absent (${describeRef(ref)})`, error);
      }
    },
  };
}

interface PartPlace {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string | undefined;
  readonly PartNumber: number;
}

interface Write {
  readonly ref: ObjectRef;
  readonly place: { readonly Bucket: string; readonly Key: string };
  readonly receipt: string;
  readonly content: { readonly ContentType?: string };
  readonly condition: { readonly IfNoneMatch: string } | { readonly IfMatch: string } | undefined;
}

const conditionHeaders = (condition: NonNullable<PutOptions["condition"]>) =>
  "ifMatch" in condition ? { IfMatch: condition.ifMatch } : { IfNoneMatch: condition.ifNoneMatch };

async function* startingWith(first: Part, rest: AsyncIterable<Part>): AsyncGenerator<Part> {
  yield first;
  yield* rest;
}

/** An ETag as the store writes it, with its quotation marks. */
export function etagOf(etag: string | undefined): string {
  if (etag === undefined) throw new Error("the S3 store has answered without an ETag");
  return etag;
}
