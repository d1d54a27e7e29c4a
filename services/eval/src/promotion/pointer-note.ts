import { readDocument, writeDocument } from "@flts/common/claim-check/documents";
import { hasCode } from "@flts/common/contracts/errors";
import { canonicalJson, sha256 } from "@flts/common/contracts/identity";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { z } from "zod";

/** What became of a pointer that a person laid: written before a head is moved over it, and the only copy of it that is kept. */
const pointerNote = z.looseObject({
  object: z.string(),
  sha256: z.string(),
  outcome: z.enum(["adopted", "refused"]),
  /** The epoch it became. */
  epoch: z.number().int().positive().optional(),
  /** Why it was refused. */
  code: z.string().optional(),
  reason: z.string().optional(),
  timestamp: z.string(),
  /** Its text, as far as it is worth keeping. */
  text: z.string(),
});
export type PointerNote = z.infer<typeof pointerNote>;

/** Names a pointer by its place and its bytes. */
export const pointerDigest = (key: string, bytes: Uint8Array): string =>
  sha256(canonicalJson(["pointer/1", key, sha256(bytes)]));

export async function readNote(
  store: ObjectStore,
  bucket: string,
  identifier: string,
  digest: string,
): Promise<PointerNote | null> {
  const ref = { bucket, key: keys.pointer(identifier, digest) };
  return (await readDocument(store, ref, pointerNote, "POINTER_INVALID"))?.document ?? null;
}

/** Writes a note, or leaves the one that is there; whether it is new. */
export async function writeNote(
  store: ObjectStore,
  bucket: string,
  identifier: string,
  digest: string,
  note: PointerNote,
): Promise<boolean> {
  try {
    await writeDocument(store, { bucket, key: keys.pointer(identifier, digest) }, note, { ifNoneMatch: "*" });
    return true;
  } catch (error) {
    if (hasCode(error, "OBJECT_CONFLICT")) return false;
    throw error;
  }
}
