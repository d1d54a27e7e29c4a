import { type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";

/** Makes the entries of a folder survive a power failure. A folder that is gone has nothing to keep. */
export async function syncFolder(path: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return;
    throw error;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates the folders `base/names[0]/names[1]/…` durably; `base` itself must exist. */
export async function makeFolders(base: string, names: readonly string[]): Promise<void> {
  let parent = base;
  for (const name of names) {
    const path = join(parent, name);
    try {
      await mkdir(path);
      await syncFolder(parent);
    } catch (error) {
      if (!hasErrno(error, "EEXIST")) throw error;
    }
    parent = path;
  }
}

/** Whether an error is the operating system's, with one of the given codes (any when none is given). */
export function hasErrno(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !("errno" in error) || !("code" in error)) return false;
  return codes.length === 0 || (typeof error.code === "string" && codes.includes(error.code));
}
