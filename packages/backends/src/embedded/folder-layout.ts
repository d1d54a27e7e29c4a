/**
 * How keys become paths, and back. A key's segments are folders, so that people find objects by their keys; an object is a
 * folder whose name ends in `@`, so that `a` (folder `a@`) and `a/b` (folder `a/b@`) can both exist.
 *
 * Letters, digits and `._-=+,~` stand for themselves; every other byte of the UTF-8 form is `%XX`. Three kinds of segments need
 * more: an empty one is `%`, one of dots alone has its first dot escaped, and one too long for a file name is cut into nested
 * folders whose names end in `@+`.
 */

/** File systems allow 255 bytes; this leaves room for the suffix. */
const longestName = 200;
const objectSuffix = "@";
const cutSuffix = "@+";

export interface LayoutOptions {
  /** For file systems on which `A` and `a` are one name: capitals are escaped too. */
  readonly foldsCase: boolean;
}

/** Folder names from the bucket's folder down to the object's own folder. */
export function pathOfKey(key: string, options: LayoutOptions): readonly string[] {
  const segments = key.split("/");
  return segments.flatMap((segment, index) =>
    cut(escapeSegment(segment, options), index === segments.length - 1 ? objectSuffix : ""),
  );
}

/** Folder names from the bucket's folder down to the folder of a prefix's last complete segment. */
export function pathOfPrefix(prefix: string, options: LayoutOptions): readonly string[] {
  const complete = prefix.split("/").slice(0, -1);
  return complete.flatMap((segment) => cut(escapeSegment(segment, options), ""));
}

export type FolderEntry =
  | { readonly kind: "object"; readonly escaped: string }
  | { readonly kind: "folder"; readonly escaped: string }
  /** The beginning of a long segment, which goes on inside. */
  | { readonly kind: "cut"; readonly escaped: string };

/** What a folder's name says. `escaped` is the segment, or a part of one, still escaped. */
export function readEntry(name: string): FolderEntry {
  if (name.endsWith(cutSuffix)) return { kind: "cut", escaped: name.slice(0, -cutSuffix.length) };
  if (name.endsWith(objectSuffix)) return { kind: "object", escaped: name.slice(0, -objectSuffix.length) };
  return { kind: "folder", escaped: name };
}

/** The inverse of escaping, on a whole segment; null for a name that no key has: somebody else's file. */
export function unescapeSegment(escaped: string): string | null {
  if (escaped === "%") return "";
  try {
    return decodeURIComponent(escaped);
  } catch {
    return null;
  }
}

function escapeSegment(segment: string, { foldsCase }: LayoutOptions): string {
  if (segment === "") return "%";
  const plain = foldsCase ? /[a-z0-9._\-=+,~]/ : /[A-Za-z0-9._\-=+,~]/;
  let escaped = "";
  for (const character of segment) {
    escaped += plain.test(character) ? character : escapeBytes(character);
  }
  return dotsEscaped(escaped);
}

/** No folder may be called `.` or `..`, neither a segment's nor the last piece of a long one's. */
const dotsEscaped = (name: string): string => (/^\.+$/.test(name) ? `%2E${name.slice(1)}` : name);

const escapeBytes = (character: string): string =>
  [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");

function cut(escaped: string, suffix: string): readonly string[] {
  const pieces: string[] = [];
  let rest = escaped;
  while (rest.length > longestName) {
    pieces.push(`${rest.slice(0, longestName)}${cutSuffix}`);
    rest = rest.slice(longestName);
  }
  return [...pieces, `${dotsEscaped(rest)}${suffix}`];
}
