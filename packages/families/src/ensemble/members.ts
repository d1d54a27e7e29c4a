import { FltsError } from "@flts/common/contracts/errors";
import { type Artifact, encodeManifest, MANIFEST, parseManifest } from "../artifact.ts";

const folderOf = (family: string): string => `members/${family}/`;

/** A member's files and manifest among an ensemble's files, `members/<FAMILY>/…`: the ensemble's own manifest vouches for them. */
export function packMember({ manifest, files }: Artifact): [name: string, bytes: Uint8Array][] {
  const folder = folderOf(manifest.family);
  return [
    ...[...files].map(([name, bytes]): [string, Uint8Array] => [`${folder}${name}`, bytes]),
    [`${folder}${MANIFEST}`, encodeManifest(manifest)],
  ];
}

/** The inverse of `packMember`. @throws ARTIFACT_INVALID */
export function unpackMember(files: ReadonlyMap<string, Uint8Array>, family: string): Artifact {
  const folder = folderOf(family);
  const own = new Map(
    [...files]
      .filter(([name]) => name.startsWith(folder))
      .map(([name, bytes]) => [name.slice(folder.length), bytes]),
  );
  const manifest = own.get(MANIFEST);
  if (manifest === undefined)
    throw new FltsError("ARTIFACT_INVALID", `the ensemble lacks ${folder}${MANIFEST}`);
  own.delete(MANIFEST);
  return { manifest: parseManifest(manifest, `${folder}${MANIFEST}`), files: own };
}
