import { DEFAULT_STATION, sha256, stationOf } from "@flts/common/contracts/identity";
import { keys, promotionFolder } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Ledger } from "./ledger.ts";
import { pointerDigest } from "./pointer-note.ts";

/** A pointer that a person laid where the reference's readers, or its documents, look for one. */
export interface LaidPointer {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
  /** Names it by place and bytes. */
  readonly digest: string;
  /** Whether it stays where it is after it was adopted; elsewhere a head is moved over it, so that laying it again is another order. */
  readonly stays: boolean;
}

/**
 * Pointers of a station that FLTS did not write: in place of its head, in place of the root's copy, and at `<station>/<config hash>/current.json`, where the
 * reference's documents say that they go.
 */
export async function findLaidPointers(
  identifier: string,
  {
    store,
    ledger,
    promotionBucket: bucket,
  }: { readonly store: ObjectStore; readonly ledger: Ledger; readonly promotionBucket: string },
): Promise<readonly LaidPointer[]> {
  const found: LaidPointer[] = [];
  const look = async (key: string, stays: boolean): Promise<void> => {
    const stored = await store.get({ bucket, key });
    if (stored === null || (await ledger.recognise(identifier, stored.bytes)) !== null) return;
    const { bytes } = stored;
    found.push({ key, bytes, sha256: sha256(bytes), digest: pointerDigest(key, bytes), stays });
  };
  await look(keys.head(identifier), false);
  if (stationOf(identifier) === DEFAULT_STATION) await look(keys.rootHead, false);
  for (const key of await nestedPointers(identifier, store, bucket)) await look(key, true);
  return found;
}

/** Folders named by hexadecimal digits come before everything else of a station: the listing ends where they do. */
async function nestedPointers(
  identifier: string,
  store: ObjectStore,
  bucket: string,
): Promise<readonly string[]> {
  const folder = promotionFolder(identifier);
  const found: string[] = [];
  for await (const { key } of store.list(bucket, `${folder}/`)) {
    if (key >= `${folder}/g`) break;
    if (NESTED.test(key.slice(folder.length))) found.push(key);
  }
  return found;
}

const NESTED = /^\/[0-9a-f]+\/current\.json$/;
