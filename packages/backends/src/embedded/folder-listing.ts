import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { compareKeys } from "../object-name.ts";
import { hasErrno } from "./disk.ts";
import { type LayoutOptions, pathOfPrefix, readEntry, unescapeSegment } from "./folder-layout.ts";

export interface ObjectFolder {
  readonly key: string;
  readonly path: string;
}

type Item =
  | { readonly kind: "object"; readonly key: string; readonly path: string }
  /** `key` ends in a slash: all keys inside begin with it. */
  | { readonly kind: "folder"; readonly key: string; readonly path: string };

/** The object folders of a bucket whose keys start with `prefix`, in the order of their keys' UTF-8 bytes. */
export async function* listObjectFolders(
  bucketFolder: string,
  prefix: string,
  options: LayoutOptions,
): AsyncGenerator<ObjectFolder> {
  const start = join(bucketFolder, ...pathOfPrefix(prefix, options));
  yield* walk(start, prefix.slice(0, prefix.lastIndexOf("/") + 1), prefix);
}

/** Walks a folder all of whose keys begin with `base`, in order, as deep as `prefix` allows. */
async function* walk(folder: string, base: string, prefix: string): AsyncGenerator<ObjectFolder> {
  const items = await itemsIn(folder, base, "");
  // An object `a`, then `a-b`, then the folder `a/`: comparing folders with their slash gives the order of all keys inside.
  for (const item of items.toSorted((a, b) => compareKeys(a.key, b.key))) {
    if (item.kind === "object") {
      if (item.key.startsWith(prefix)) yield item;
    } else if (item.key.startsWith(prefix) || prefix.startsWith(item.key)) {
      yield* walk(item.path, item.key, prefix);
    }
  }
}

/** Objects and folders directly in a folder; a segment that was cut into pieces counts as one. */
async function itemsIn(folder: string, base: string, cutOff: string): Promise<readonly Item[]> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    // Gone with its last object, or never there, or somebody else's file.
    if (hasErrno(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
  const items: Item[] = [];
  for (const name of names) {
    const entry = readEntry(name);
    const path = join(folder, name);
    const escaped = `${cutOff}${entry.escaped}`;
    if (entry.kind === "cut") items.push(...(await itemsIn(path, base, escaped)));
    else {
      const segment = unescapeSegment(escaped);
      if (segment === null) continue;
      items.push({ kind: entry.kind, key: `${base}${segment}${entry.kind === "folder" ? "/" : ""}`, path });
    }
  }
  return items;
}
