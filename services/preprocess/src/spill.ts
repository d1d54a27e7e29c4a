import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FltsError } from "@flts/common/contracts/errors";

/**
 * What does not fit into memory, in one temporary file: bytes under names, each name's bytes in the order they were added. The file has no name of its own
 * on disk from the moment it is opened, so that nothing can be left behind, however the process ends.
 */
export interface Spill {
  /** @throws OBJECT_TOO_LARGE when more than the limit would lie in the file, or the disk is full */
  append(name: string, bytes: Uint8Array): void;
  sizeOf(name: string): number;
  /** The bytes from `start` on, as many as `target` takes. @throws RangeError when there are fewer */
  read(name: string, start: number, target: Uint8Array): void;
  /** Everything under a name, piece by piece. */
  chunks(name: string): Iterable<Uint8Array>;
  close(): void;
}

export interface SpillOptions {
  /** Where the file lies; the system's folder for temporary files when empty. */
  readonly folder: string;
  readonly maxBytes: number;
}

/** A run of bytes in the file: `start` is its place among the bytes of its name, `position` its place in the file. */
interface Extent {
  readonly start: number;
  readonly position: number;
  readonly length: number;
}

/** What one read from the file brings at most. */
const CHUNK_BYTES = 1_048_576;

/** @throws CONFIG_INVALID when the folder cannot be written to */
export function openSpill({ folder, maxBytes }: SpillOptions): Spill {
  const file = openNameless(folder || tmpdir());
  const extents = new Map<string, Extent[]>();
  let end = 0;

  const extentsOf = (name: string): readonly Extent[] => extents.get(name) ?? [];
  const sizeOf = (name: string): number => {
    const last = extentsOf(name).at(-1);
    return last === undefined ? 0 : last.start + last.length;
  };

  function append(name: string, bytes: Uint8Array): void {
    if (end + bytes.length > maxBytes)
      throw new FltsError(
        "OBJECT_TOO_LARGE",
        `the columns need more than SPILL_MAX_BYTES=${maxBytes} on disk; raise it, or give fewer rows or lags`,
      );
    writeWhole(bytes);
    const known = extents.get(name) ?? [];
    known.push({ start: sizeOf(name), position: end, length: bytes.length });
    extents.set(name, known);
    end += bytes.length;
  }

  function writeWhole(bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length; )
        done += writeSync(file, bytes, done, bytes.length - done, end + done);
    } catch (error) {
      throw new FltsError(
        "OBJECT_TOO_LARGE",
        `no room for the columns in SPILL_DIR: ${String(error)}`,
        error,
      );
    }
  }

  function read(name: string, start: number, target: Uint8Array): void {
    const stop = start + target.length;
    if (stop > sizeOf(name)) throw new RangeError(`'${name}' has ${sizeOf(name)} bytes, not ${stop}`);
    for (const extent of extentsOf(name)) {
      const from = Math.max(start, extent.start);
      const to = Math.min(stop, extent.start + extent.length);
      if (from < to)
        readWhole(target.subarray(from - start, to - start), extent.position + from - extent.start);
    }
  }

  function readWhole(target: Uint8Array, position: number): void {
    for (let done = 0; done < target.length; ) {
      const count = readSync(file, target, done, target.length - done, position + done);
      if (count === 0) throw new Error("the spill file ends before its bytes do");
      done += count;
    }
  }

  return {
    append,
    sizeOf,
    read,
    *chunks(name) {
      const size = sizeOf(name);
      for (let start = 0; start < size; start += CHUNK_BYTES) {
        const chunk = new Uint8Array(Math.min(CHUNK_BYTES, size - start));
        read(name, start, chunk);
        yield chunk;
      }
    },
    close: () => closeSync(file),
  };
}

function openNameless(parent: string): number {
  try {
    const folder = mkdtempSync(join(parent, "flts-preprocess-"));
    try {
      return openSync(join(folder, "columns"), "wx+", 0o600);
    } finally {
      rmSync(folder, { recursive: true });
    }
  } catch (error) {
    throw new FltsError(
      "CONFIG_INVALID",
      `SPILL_DIR must be a folder that can be written to; ${parent}: ${String(error)}`,
      error,
    );
  }
}
