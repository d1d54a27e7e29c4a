import { access, constants, mkdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FltsError } from "@flts/common/contracts/errors";
import {
  describeRef,
  type ListedObject,
  type ObjectInfo,
  type ObjectRef,
  type ObjectStore,
  type PutOptions,
} from "@flts/common/ports/object-store";
import type { Random } from "@flts/common/ports/random";
import { assertBucketName, assertObjectName } from "../object-name.ts";
import { assertCondition } from "../write-condition.ts";
import { hasErrno, makeFolders, syncFolder } from "./disk.ts";
import { type LayoutOptions, pathOfKey } from "./folder-layout.ts";
import { listObjectFolders } from "./folder-listing.ts";
import {
  appendVersion,
  beginObject,
  endObject,
  etagAfter,
  findVersion,
  openVersion,
  retireVersions,
  statVersion,
  type Version,
} from "./object-folder.ts";
import { openScratch, type Scratch } from "./scratch.ts";
import { inStoreTerms } from "./store-errors.ts";

export interface FolderStoreOptions {
  /** The folder of the buckets; created when missing. */
  readonly folder: string;
  readonly random: Random;
}

/** No bucket's name has an `@`. */
const scratchName = "@scratch";

/**
 * An object store in a folder, with S3's semantics for any number of processes on one machine: `object-folder.ts` has the
 * invariants, `folder-layout.ts` the names. Content types are not kept.
 *
 * @throws STORE_FORBIDDEN, STORE_UNAVAILABLE when the folder cannot be used
 */
export async function createFolderStore({ folder, random }: FolderStoreOptions): Promise<ObjectStore> {
  const scratch = await inStoreTerms(folder, () => openFolder(folder, random));
  const layout: LayoutOptions = { foldsCase: await foldsCase(folder) };
  const bucketFolder = (bucket: string): string => join(folder, bucket);
  let closed = false;

  const assertOpen = (): void => {
    if (closed) throw new FltsError("STORE_UNAVAILABLE", "The folder store is closed");
  };

  /** Runs an operation on an object, in the store's terms: names checked, the system's errors translated. */
  const onObject = async <Result>(
    ref: ObjectRef,
    operation: (objectFolder: string) => Promise<Result>,
  ): Promise<Result> => {
    assertOpen();
    assertObjectName(ref);
    const objectFolder = join(bucketFolder(ref.bucket), ...pathOfKey(ref.key, layout));
    return inStoreTerms(describeRef(ref), () => operation(objectFolder));
  };

  const begin = async (ref: ObjectRef, objectFolder: string, staged: string): Promise<string | null> => {
    for (;;) {
      try {
        await makeFolders(bucketFolder(ref.bucket), pathOfKey(ref.key, layout).slice(0, -1));
        return await beginObject(objectFolder, staged, scratch.path(), random.hex(8));
      } catch (error) {
        if (!hasErrno(error, "ENOENT")) throw error;
        // Either there is no bucket, or a folder above was removed just now, with its last object.
        await assertBucket(bucketFolder(ref.bucket), ref);
      }
    }
  };

  const write = async (
    ref: ObjectRef,
    objectFolder: string,
    staged: string,
    condition: PutOptions["condition"],
  ): Promise<string> => {
    for (;;) {
      const version = await findVersion(objectFolder);
      assertCondition(ref, version?.etag ?? null, condition);
      if (version === null) {
        const etag = await begin(ref, objectFolder, staged);
        if (etag !== null) return etag;
        continue;
      }
      const outcome = await appendVersion(version, staged);
      if (outcome === "lost") continue;
      if (outcome === "unknown" && condition) {
        const text = `Nobody can tell whether this conditional write came first: read the object again (${describeRef(ref)})`;
        throw new FltsError("STORE_UNAVAILABLE", text);
      }
      await retireVersions(version, scratch.path());
      return etagAfter(version);
    }
  };

  return {
    ensureBucket: async (bucket) => {
      assertOpen();
      assertBucketName(bucket);
      await inStoreTerms(`bucket=${bucket}`, () => makeFolders(folder, [bucket]));
    },
    put: async (ref, body, { condition, maxBytes = Number.POSITIVE_INFINITY } = {}) => {
      // A condition that fails already spares the body its way to the disk; the write applies it again.
      await onObject(ref, async (path) =>
        assertCondition(ref, (await findVersion(path))?.etag ?? null, condition),
      );
      const staged = scratch.path();
      try {
        const sizeBytes = await scratch.stage(staged, body, { maxBytes, subject: describeRef(ref) });
        return { etag: await onObject(ref, (path) => write(ref, path, staged, condition)), sizeBytes };
      } finally {
        await scratch.discard(staged);
      }
    },
    get: (ref) =>
      onObject(ref, (path) =>
        look(path, async (version) => {
          const handle = await openVersion(version);
          if (handle === null) return null;
          try {
            const bytes = await handle.readFile();
            return { etag: version.etag, sizeBytes: bytes.byteLength, bytes };
          } finally {
            await handle.close();
          }
        }),
      ),
    stream: (ref) =>
      onObject(ref, (path) =>
        look(path, async (version) => {
          const handle = await openVersion(version);
          if (handle === null) return null;
          const { size: sizeBytes } = await handle.stat();
          return { etag: version.etag, sizeBytes, chunks: handle.createReadStream() };
        }),
      ),
    head: (ref) =>
      onObject(ref, (path) =>
        look(path, async (version) => {
          const info = await listed(version);
          return info && { etag: info.etag, sizeBytes: info.sizeBytes };
        }),
      ),
    list: (bucket, prefix) => {
      assertOpen();
      assertBucketName(bucket);
      return list(bucketFolder(bucket), prefix, layout);
    },
    remove: (ref) => onObject(ref, (path) => endObject(path, scratch.path(), bucketFolder(ref.bucket))),
    ping: async () => {
      assertOpen();
      await inStoreTerms(folder, () => access(join(folder, scratchName), constants.R_OK | constants.W_OK));
    },
    close: async () => {
      closed = true;
    },
  };
}

async function openFolder(folder: string, random: Random): Promise<Scratch> {
  await mkdir(folder, { recursive: true });
  await syncFolder(dirname(folder));
  return openScratch(join(folder, scratchName), random);
}

/** Looks until what it finds holds still: a version may be replaced between finding and opening it. */
async function look<Result>(
  objectFolder: string,
  use: (version: Version) => Promise<Result | null>,
): Promise<Result | null> {
  for (;;) {
    const version = await findVersion(objectFolder);
    if (version === null) return null;
    const result = await use(version);
    if (result !== null) return result;
  }
}

async function* list(folder: string, prefix: string, layout: LayoutOptions): AsyncGenerator<ListedObject> {
  for await (const { key, path } of listObjectFolders(folder, prefix, layout)) {
    const info = await look(path, listed);
    if (info) yield { key, ...info };
  }
}

async function listed(version: Version): Promise<(ObjectInfo & { readonly modifiedAt: number }) | null> {
  const stats = await statVersion(version);
  return stats && { etag: version.etag, ...stats };
}

async function assertBucket(folder: string, ref: ObjectRef): Promise<void> {
  try {
    await stat(folder);
  } catch (error) {
    if (!hasErrno(error, "ENOENT")) throw error;
    throw new FltsError("BUCKET_MISSING", `There is no such bucket (${describeRef(ref)})`, error);
  }
}

/** Whether the file system takes `A` and `a` for one name. */
async function foldsCase(folder: string): Promise<boolean> {
  try {
    await stat(join(folder, scratchName.toUpperCase()));
    return true;
  } catch {
    return false;
  }
}
