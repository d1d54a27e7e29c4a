/**
 * What the stages need of an S3 store. Semantics are S3's: objects appear whole or not at all, reads after a write see it,
 * and a condition is checked and applied in one step.
 *
 * Keys are plain paths: their parts are not empty, `.` or `..`, and have at most 255 bytes; every adapter refuses others with
 * OBJECT_NAME_INVALID. A key must not be the folder of another one (`a` beside `a/b`): some stores refuse that, some leave keys out of listings.
 */
export interface ObjectStore {
  /** Creates the bucket unless it is there. */
  ensureBucket(bucket: string): Promise<void>;
  /**
   * Stores `body` under the reference and resolves when it is durable.
   * @throws OBJECT_CONFLICT when the condition does not hold, as `ifMatch` never does for an absent object: nothing was written
   * @throws STORE_UNAVAILABLE when the store does not answer: whether it was written nobody knows
   * @throws OBJECT_TOO_LARGE when a stream exceeds `maxBytes`: nothing was written
   * @throws BUCKET_MISSING when there is no such bucket; reading from one finds nothing
   */
  put(
    ref: ObjectRef,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options?: PutOptions,
  ): Promise<ObjectInfo>;
  /** The object with its bytes, or null. */
  get(ref: ObjectRef): Promise<StoredObject | null>;
  /** The object as a stream of chunks, or null. The caller consumes or returns the stream. */
  stream(ref: ObjectRef): Promise<ObjectStream | null>;
  head(ref: ObjectRef): Promise<ObjectInfo | null>;
  /** Objects whose key starts with `prefix`, in the order of their keys' UTF-8 bytes. An absent bucket has none. */
  list(bucket: string, prefix: string): AsyncIterable<ListedObject>;
  /** Removes the object; an absent one is removed already. */
  remove(ref: ObjectRef): Promise<void>;
  /** Resolves when the store answers. @throws STORE_UNAVAILABLE, STORE_FORBIDDEN */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface ObjectRef {
  readonly bucket: string;
  readonly key: string;
}

export interface PutOptions {
  /** `ifNoneMatch: "*"` creates only; `ifMatch` replaces exactly the version with that ETag. */
  readonly condition?: { readonly ifNoneMatch: "*" } | { readonly ifMatch: string };
  readonly contentType?: string;
  readonly maxBytes?: number;
}

export interface ObjectInfo {
  /**
   * Names this version of the object; opaque. On S3 it follows from the bytes, so that equal bytes have equal ETags: who must notice A, B, A
   * writes something that never repeats, such as an epoch or a nonce.
   */
  readonly etag: string;
  readonly sizeBytes: number;
}

export interface StoredObject extends ObjectInfo {
  readonly bytes: Uint8Array;
}

export interface ObjectStream extends ObjectInfo {
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface ListedObject extends ObjectInfo {
  readonly key: string;
  /** When this version was written, milliseconds since 1970 UTC, by the store's clock. */
  readonly modifiedAt: number;
}

/** `bucket=…, key=…`, as every error message about an object says it. */
export const describeRef = ({ bucket, key }: ObjectRef): string => `bucket=${bucket}, key=${key}`;
