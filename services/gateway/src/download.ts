import { Readable } from "node:stream";
import { describeRef, type ObjectRef, type ObjectStore } from "@flts/common/ports/object-store";
import { HttpError } from "@flts/common/service/http";
import { type ByteRange, parseRange, sliceChunks } from "./range.ts";

export interface Download {
  readonly status: 200 | 206;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

/**
 * Opens an object, or the range of it that is asked for. `ifRange` names the version that the range belongs to: of another one, the whole
 * object is given. Refuses with 403 a bucket off the list, 404 an absent object, 416 a range outside it.
 */
export async function openDownload(
  store: ObjectStore,
  ref: ObjectRef,
  allowedBuckets: readonly string[],
  {
    range,
    ifRange,
  }: { readonly range?: string | undefined; readonly ifRange?: string | string[] | undefined },
): Promise<Download> {
  if (!allowedBuckets.includes(ref.bucket))
    throw new HttpError(403, `Downloads come from ${allowedBuckets.join(", ")}, not from ${ref.bucket}`);
  const object = await store.stream(ref);
  if (object === null) throw new HttpError(404, `There is no such object: ${describeRef(ref)}`);
  const { sizeBytes, chunks } = object;
  const etag = `"${object.etag.replaceAll('"', "")}"`;
  const wanted = ifRange === undefined || ifRange === etag ? parseRange(range, sizeBytes) : null;
  const shared = { "accept-ranges": "bytes", etag };
  if (wanted === "unsatisfiable") {
    await discard(chunks);
    const headers = { ...shared, "content-range": `bytes */${sizeBytes}` };
    throw new HttpError(416, `The object has ${sizeBytes} bytes: ${describeRef(ref)}`, headers);
  }
  const part = wanted ?? { start: 0, end: sizeBytes };
  return {
    status: wanted === null ? 200 : 206,
    headers: { ...shared, ...contentHeaders(ref, part), ...rangeHeader(wanted, sizeBytes) },
    body: Readable.from(wanted === null ? chunks : sliceChunks(chunks, part), { objectMode: false }),
  };
}

const contentHeaders = ({ key }: ObjectRef, { start, end }: ByteRange): Record<string, string> => ({
  "content-type": "application/octet-stream",
  "content-length": String(end - start),
  "content-disposition": `attachment; ${fileName(key.slice(key.lastIndexOf("/") + 1))}`,
});

/** A file's name as RFC 6266 writes it: as it is where that is safe, in per cent encoding otherwise. */
function fileName(name: string): string {
  if (/^[\w.-]+$/.test(name)) return `filename="${name}"`;
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*!]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `filename*=UTF-8''${encoded}`;
}

const rangeHeader = (part: ByteRange | null, sizeBytes: number): Record<string, string> =>
  part === null ? {} : { "content-range": `bytes ${part.start}-${part.end - 1}/${sizeBytes}` };

/** Gives a stream back unread, so that the store closes what it holds open. */
async function discard(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  await chunks[Symbol.asyncIterator]().return?.();
}
