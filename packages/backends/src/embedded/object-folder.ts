/**
 * One object on disk: a folder of versions in the folder of a life.
 *
 *     <key>@/3f9a0c12b7d14e55/0000000001        bytes of version 1
 *     <key>@/3f9a0c12b7d14e55/0000000002        bytes of version 2: the object, since no number is higher
 *
 * Invariants:
 * - V1 An object appears by one `rename` of its complete folder, which fails when there is one already, and disappears by one
 *   `rename` of it to the scratch folder.
 * - V2 Version n+1 appears by one `link` of a complete file, which fails when the number is taken: of two writers that saw
 *   version n, one wins.
 * - V3 Life's names never repeat. A writer that is late by a removal finds its life's folder gone, so it cannot touch the next life,
 *   and an ETag (life and number) never names two versions.
 * - V4 A number stays taken for long after its version was replaced: its bytes go soon (the name becomes a dangling
 *   link, which readers take for "look again"), the name goes `rememberedVersions` later, lowest first.
 */

import type { FileHandle } from "node:fs/promises";
import { link, lstat, mkdir, open, readdir, rename, rm, rmdir, symlink, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FltsError } from "@flts/common/contracts/errors";
import { hasErrno, syncFolder } from "./disk.ts";

/** A reader that has just learned of a version should still find its bytes when it is replaced meanwhile. */
const readableVersions = 2;
/** How many replaced versions' names stay, so that a late writer's `link` fails. */
const rememberedVersions = 64;
const firstVersion = 1;
const lifeName = /^[0-9a-f]{16}$/;
const versionName = /^\d{10}$/;

export interface Version {
  readonly etag: string;
  readonly number: number;
  readonly lifeFolder: string;
  /** Names in the folder of the life with numbers below this one, lowest first. */
  readonly replaced: readonly { readonly number: number; readonly hasBytes: boolean }[];
}

export type AppendOutcome =
  | "written"
  /** Another version has the number, or the object is gone: nothing was written. */
  | "lost"
  /** So many versions came after that nobody can tell whether this one was the first with its number. */
  | "unknown";

/**
 * The version that is the object at present, or null.
 * @throws STORE_UNAVAILABLE when somebody has emptied the folder by hand
 */
export async function findVersion(objectFolder: string): Promise<Version | null> {
  for (let tries = 0; tries < 1000; tries += 1) {
    const life = (await entriesIn(objectFolder)).find(({ name }) => lifeName.test(name))?.name;
    if (life === undefined) return null;
    const lifeFolder = join(objectFolder, life);
    const versions = (await entriesIn(lifeFolder))
      .filter(({ name }) => versionName.test(name))
      .map((entry) => ({ number: Number(entry.name), hasBytes: entry.isFile() }))
      .toSorted((a, b) => a.number - b.number);
    const number = versions.at(-1)?.number;
    // A life without versions has ended since we saw its name: look again.
    if (number !== undefined) {
      return { etag: `${life}-${number}`, number, lifeFolder, replaced: versions.slice(0, -1) };
    }
  }
  throw new FltsError("STORE_UNAVAILABLE", `The object's folder has lost its versions: ${objectFolder}`);
}

/** Opens a version's bytes; null when it was replaced or removed meanwhile: look again. */
export async function openVersion(version: Version): Promise<FileHandle | null> {
  try {
    return await open(versionPath(version.lifeFolder, version.number), "r");
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return null;
    throw error;
  }
}

/** Size and time of a version; null as with `openVersion`. */
export async function statVersion(
  version: Version,
): Promise<{ readonly sizeBytes: number; readonly modifiedAt: number } | null> {
  try {
    const stats = await lstat(versionPath(version.lifeFolder, version.number));
    return stats.isFile() ? { sizeBytes: stats.size, modifiedAt: Math.trunc(stats.mtimeMs) } : null;
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return null;
    throw error;
  }
}

/**
 * Begins the object with the staged file as its first version (V1).
 *
 * @param scratch a path that nothing else uses, on the same file system
 * @returns the ETag, or null when there is an object already
 * @throws the operating system's ENOENT when the parent folder does not exist
 */
export async function beginObject(
  objectFolder: string,
  staged: string,
  scratch: string,
  life: string,
): Promise<string | null> {
  const lifeFolder = join(scratch, life);
  try {
    await mkdir(lifeFolder, { recursive: true });
    await link(staged, versionPath(lifeFolder, firstVersion));
    await syncFolder(lifeFolder);
    await syncFolder(scratch);
    await rename(scratch, objectFolder);
    await syncFolder(dirname(objectFolder));
    return `${life}-${firstVersion}`;
  } catch (error) {
    await rm(scratch, { recursive: true, force: true });
    if (hasErrno(error, "ENOTEMPTY", "EEXIST")) return null;
    throw error;
  }
}

/** Makes the staged file the version after `previous`, if nothing has come between (V2). */
export async function appendVersion(previous: Version, staged: string): Promise<AppendOutcome> {
  const { lifeFolder, number } = previous;
  try {
    await link(staged, versionPath(lifeFolder, number + 1));
  } catch (error) {
    // EEXIST: another writer was first. ENOENT: the life has ended (V3).
    if (hasErrno(error, "EEXIST", "ENOENT")) return "lost";
    throw error;
  }
  // Names go lowest first (V4): while `previous` has its name, the one after it was never free before.
  const outcome = (await hasName(previous)) || (await isHighest(lifeFolder, number + 1));
  await syncFolder(lifeFolder);
  return outcome ? "written" : "unknown";
}

/** The ETag of the version that `appendVersion` wrote. */
export const etagAfter = ({ etag, number }: Version): string =>
  `${etag.slice(0, etag.lastIndexOf("-"))}-${number + 1}`;

/** Lets go of what the version after `previous` has made superfluous (V4). `scratch` as in `beginObject`. */
export async function retireVersions(previous: Version, scratch: string): Promise<void> {
  const current = previous.number + 1;
  for (const { number, hasBytes } of previous.replaced) {
    const path = versionPath(previous.lifeFolder, number);
    try {
      if (number <= current - rememberedVersions) await unlink(path);
      else if (hasBytes && number <= current - readableVersions) {
        await symlink("replaced", scratch);
        await rename(scratch, path);
      }
    } catch (error) {
      // Another writer does the same, or the object is gone.
      await rm(scratch, { force: true });
      if (!hasErrno(error, "ENOENT")) throw error;
    }
  }
}

/** Ends the object's life (V1), and removes folders above it that have become empty, up to `stopAt`. */
export async function endObject(objectFolder: string, scratch: string, stopAt: string): Promise<void> {
  try {
    await rename(objectFolder, scratch);
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return;
    throw error;
  }
  await syncFolder(dirname(objectFolder));
  await rm(scratch, { recursive: true, force: true });
  for (let folder = dirname(objectFolder); folder !== stopAt; folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch {
      return; // not empty: somebody lives there
    }
  }
}

const versionPath = (lifeFolder: string, number: number): string =>
  join(lifeFolder, String(number).padStart(10, "0"));

async function hasName(version: Version): Promise<boolean> {
  try {
    await lstat(versionPath(version.lifeFolder, version.number));
    return true;
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return false;
    throw error;
  }
}

async function isHighest(lifeFolder: string, number: number): Promise<boolean> {
  const numbers = (await entriesIn(lifeFolder)).map(({ name }) => Number(name));
  return Math.max(0, ...numbers) === number;
}

async function entriesIn(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return [];
    throw error;
  }
}
