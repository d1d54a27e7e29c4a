import { HttpError } from "@flts/common/service/http";
import { unreadable } from "./refusal.ts";

/** Bytes that arrive in pieces, read in the sizes that the reader wants. */
export interface ByteSource {
  /** Exactly so many, in a buffer of their own. @throws HttpError 400 when they end before, 413 beyond the limit */
  read(size: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Whether nothing is left. */
  isAtEnd(): Promise<boolean>;
}

export function createByteSource(pieces: AsyncIterator<Uint8Array>, maxBytes: number): ByteSource {
  let piece: Uint8Array = new Uint8Array();
  let used = 0;
  let received = 0;

  /** False when there are no more. */
  async function fill(): Promise<boolean> {
    while (used === piece.length) {
      const next = await pieces.next();
      if (next.done === true) return false;
      piece = next.value;
      used = 0;
      received += piece.length;
      if (received > maxBytes) throw new HttpError(413, `Request body is larger than ${maxBytes} bytes`);
    }
    return true;
  }

  return {
    async read(size) {
      const bytes = new Uint8Array(size);
      let filled = 0;
      while (filled < size) {
        if (!(await fill())) throw unreadable("it ends before its end-of-stream mark");
        const part = piece.subarray(used, used + size - filled);
        bytes.set(part, filled);
        used += part.length;
        filled += part.length;
      }
      return bytes;
    },
    isAtEnd: async () => !(await fill()),
  };
}
