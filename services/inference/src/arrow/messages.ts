import { HttpError } from "@flts/common/service/http";
import type { ByteSource } from "./byte-source.ts";
import { type FlatTable, rootTable } from "./flat-table.ts";
import { unreadable } from "./refusal.ts";

/** One message of an Arrow stream. */
export interface ArrowMessage {
  /** A member of `headerKinds`. */
  readonly kind: number;
  /** What it is about: a table of FlatBuffers, by its kind. */
  readonly header: FlatTable;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** `MessageHeader` of Arrow's Message.fbs. */
export const headerKinds = { schema: 1, dictionary: 2, recordBatch: 3 } as const;

const CONTINUATION = 0xffff_ffff;
const MAX_METADATA_BYTES = 1024 ** 2;

/**
 * The messages of an Arrow IPC stream (https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format), one at a time. The end-of-stream mark, which
 * the format leaves to the writer, must be there: without it, a stream that broke off between two batches looks whole.
 * @throws HttpError 400 for bytes that are no such stream, 413 for a message with a body beyond the limit
 */
export async function* readMessages(source: ByteSource, maxBodyBytes: number): AsyncGenerator<ArrowMessage> {
  while (true) {
    const prefix = new DataView((await source.read(8)).buffer);
    if (prefix.getUint32(0, true) !== CONTINUATION)
      throw unreadable("a message does not begin with the mark of one");
    const metadataBytes = prefix.getUint32(4, true);
    if (metadataBytes === 0) break;
    if (metadataBytes > MAX_METADATA_BYTES)
      throw unreadable(`a message claims ${metadataBytes} bytes of metadata`);
    const metadata = await source.read(metadataBytes);
    const { kind, header, bodyBytes } = trusted(() => messageOf(metadata));
    if (bodyBytes > maxBodyBytes)
      throw new HttpError(
        413,
        `A record batch of ${bodyBytes} bytes is larger than ${maxBodyBytes}: write smaller ones (pyarrow: max_chunksize)`,
      );
    yield { kind, header, body: await source.read(bodyBytes) };
  }
  if (!(await source.isAtEnd())) throw unreadable("something follows its end-of-stream mark");
}

function messageOf(metadata: Uint8Array) {
  const message = rootTable(metadata);
  const header = message.table(2);
  const bodyBytes = message.int64(3);
  if (header === null || !Number.isSafeInteger(bodyBytes) || bodyBytes < 0)
    throw unreadable("a message lacks its header");
  return { kind: message.uint8(1), header, bodyBytes };
}

/** Reads metadata that may name places that are not there. @throws HttpError 400 */
export function trusted<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw unreadable("its metadata points beyond its end");
    throw error;
  }
}
