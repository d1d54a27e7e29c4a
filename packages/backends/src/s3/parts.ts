import { FltsError } from "@flts/common/contracts/errors";

export interface Part {
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

export interface PartLimits {
  readonly partBytes: number;
  /** Of all parts together. */
  readonly maxBytes: number;
  /** What error messages say about the object. */
  readonly subject: string;
}

/**
 * Cuts a stream into parts of exactly `partBytes`; the last one has what is left, which is nothing only for an empty stream. One part is held at
 * a time, and chunks are copied, so that a sender may use its buffer again.
 * @throws OBJECT_TOO_LARGE, and whatever the stream throws
 */
export async function* cutIntoParts(
  body: AsyncIterable<Uint8Array>,
  { partBytes, maxBytes, subject }: PartLimits,
): AsyncGenerator<Part> {
  let part = Buffer.allocUnsafeSlow(partBytes);
  let filled = 0;
  let totalBytes = 0;
  for await (const chunk of body) {
    totalBytes += chunk.byteLength;
    if (totalBytes > maxBytes) throw tooLarge(maxBytes, subject);
    for (let taken = 0; taken < chunk.byteLength; ) {
      if (filled === partBytes) {
        yield { bytes: part, last: false };
        part = Buffer.allocUnsafeSlow(partBytes);
        filled = 0;
      }
      const piece = chunk.subarray(taken, taken + partBytes - filled);
      part.set(piece, filled);
      filled += piece.byteLength;
      taken += piece.byteLength;
    }
  }
  yield { bytes: part.subarray(0, filled), last: true };
}

export const tooLarge = (maxBytes: number, subject: string): FltsError =>
  new FltsError("OBJECT_TOO_LARGE", `The object has more than ${maxBytes} bytes (${subject})`);
