import type { Claim } from "../contracts/claim.ts";
import { FltsError, hasCode } from "../contracts/errors.ts";
import { sha256 } from "../contracts/identity.ts";
import { describeRef, type ObjectStore } from "../ports/object-store.ts";

/** A claim whose digest is known: what {@link storeClaimed} gives out. */
export interface DigestedClaim {
  readonly bucket: string;
  readonly object: string;
  readonly size: number;
  readonly sha256: string;
}

/**
 * Stores bytes under a key that contains their digest and returns the claim on them. Storing the same bytes again writes nothing.
 * @throws STORE_UNAVAILABLE
 */
export async function storeClaimed(
  store: ObjectStore,
  bucket: string,
  keyOf: (digest: string) => string,
  bytes: Uint8Array,
): Promise<DigestedClaim> {
  const digest = sha256(bytes);
  const object = keyOf(digest);
  try {
    await store.put({ bucket, key: object }, bytes, { condition: { ifNoneMatch: "*" } });
  } catch (error) {
    // The key names the content: whoever was first wrote the same bytes.
    if (!hasCode(error, "OBJECT_CONFLICT")) throw error;
  }
  return { bucket, object, size: bytes.byteLength, sha256: digest };
}

export interface OpenOptions {
  /** Buckets a claim may name; a message must not make us read anything else. */
  readonly allowedBuckets: readonly string[];
  /** Larger objects are refused before they are read. */
  readonly maxBytes: number;
}

/**
 * The bytes a claim stands for, verified against its digest. A claim without one (the reference's) is taken at its word; its size says
 * nothing, because on an idempotent re-emit the reference wrote a row count there.
 * @throws CLAIM_FORBIDDEN, CLAIM_MISSING (not there yet), CLAIM_CORRUPT, OBJECT_TOO_LARGE, STORE_UNAVAILABLE
 */
export async function openClaim(
  store: ObjectStore,
  claim: Pick<Claim, "bucket" | "object" | "sha256">,
  options: OpenOptions,
): Promise<Uint8Array> {
  const ref = { bucket: claim.bucket, key: claim.object };
  if (!options.allowedBuckets.includes(claim.bucket))
    throw new FltsError(
      "CLAIM_FORBIDDEN",
      `a claim may name ${options.allowedBuckets.join(", ")}, not ${describeRef(ref)}`,
    );
  const info = await store.head(ref);
  if (info === null)
    throw new FltsError("CLAIM_MISSING", `the claimed object is not there: ${describeRef(ref)}`);
  if (info.sizeBytes > options.maxBytes)
    throw new FltsError(
      "OBJECT_TOO_LARGE",
      `the claimed object has ${info.sizeBytes} bytes, at most ${options.maxBytes} are read: ${describeRef(ref)}`,
    );
  const stored = await store.get(ref);
  if (stored === null)
    throw new FltsError("CLAIM_MISSING", `the claimed object is not there: ${describeRef(ref)}`);
  const actual = sha256(stored.bytes);
  if (claim.sha256 !== undefined && actual !== claim.sha256)
    throw new FltsError(
      "CLAIM_CORRUPT",
      `integrity check failed: claimed sha256 ${claim.sha256}, found ${actual}, ${describeRef(ref)}`,
    );
  return stored.bytes;
}
