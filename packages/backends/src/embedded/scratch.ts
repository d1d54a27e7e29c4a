import { mkdir, open, readdir, rm, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FltsError } from "@flts/common/contracts/errors";
import type { Random } from "@flts/common/ports/random";
import { hasErrno } from "./disk.ts";
import { inStoreTerms } from "./store-errors.ts";

/** Where bytes lie before they are an object, and folders after they were one: names that no reader looks at. */
export interface Scratch {
  /** A path that nothing else uses. */
  path(): string;
  /**
   * Writes a body durably under `path`. @returns its size in bytes
   * @throws OBJECT_TOO_LARGE, the store's own errors, and whatever the body throws
   */
  stage(path: string, body: Uint8Array | AsyncIterable<Uint8Array>, limits: StageLimits): Promise<number>;
  /** Removes a staged file, if it is still there. */
  discard(path: string): Promise<void>;
}

export interface StageLimits {
  readonly maxBytes: number;
  /** What error messages say about the body's place. */
  readonly subject: string;
}

/** What nobody has touched for so long belongs to a writer that has died. */
const abandonedAfterMs = 60 * 60_000;

/** Opens the scratch folder, creating it when missing, and sweeps what writers that died have left. */
export async function openScratch(folder: string, random: Random): Promise<Scratch> {
  const path = (): string => join(folder, random.hex(8));
  await mkdir(folder, { recursive: true });
  await sweep(folder, await fileSystemTime(path()));
  return {
    path,
    stage: async (target, body, { maxBytes, subject }) => {
      const handle = await inStoreTerms(subject, () => open(target, "wx"));
      try {
        let sizeBytes = 0;
        // The body's own errors pass as they are; only the disk's are the store's.
        for await (const chunk of body instanceof Uint8Array ? [body] : body) {
          sizeBytes += chunk.byteLength;
          if (sizeBytes > maxBytes) {
            throw new FltsError(
              "OBJECT_TOO_LARGE",
              `The object has more than ${maxBytes} bytes (${subject})`,
            );
          }
          await inStoreTerms(subject, () => handle.writeFile(chunk));
        }
        await inStoreTerms(subject, () => handle.sync());
        return sizeBytes;
      } finally {
        await handle.close();
      }
    },
    discard: (target) => unlink(target).catch(ignoreAbsence),
  };
}

async function sweep(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    try {
      const { mtimeMs } = await stat(path);
      if (nowMs - mtimeMs > abandonedAfterMs) await rm(path, { recursive: true, force: true });
    } catch (error) {
      ignoreAbsence(error);
    }
  }
}

/** The present in the file system's own terms, by which its files' times can be judged. Fails where nothing can be written. */
async function fileSystemTime(probe: string): Promise<number> {
  await writeFile(probe, "");
  const { mtimeMs } = await stat(probe);
  await unlink(probe);
  return mtimeMs;
}

function ignoreAbsence(error: unknown): void {
  if (!hasErrno(error, "ENOENT")) throw error;
}
