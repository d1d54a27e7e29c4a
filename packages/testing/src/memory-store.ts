import { assertBucketName, assertObjectName, compareKeys } from "@flts/backends/object-name";
import { assertCondition } from "@flts/backends/write-condition";
import { FltsError } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import {
  describeRef,
  type ListedObject,
  type ObjectInfo,
  type ObjectRef,
  type ObjectStore,
} from "@flts/common/ports/object-store";
import { createManualClock } from "./manual-clock.ts";

interface MemoryObject extends ObjectInfo {
  readonly bytes: Uint8Array;
  readonly modifiedAt: number;
}

const streamChunkBytes = 64 * 1024;

/** An object store in memory, with the semantics of a real one. Gone with the process; seen by this process alone. */
export function createMemoryStore(options: { readonly clock?: Clock } = {}): ObjectStore {
  const clock = options.clock ?? createManualClock();
  const buckets = new Map<string, Map<string, MemoryObject>>();
  let versions = 0;
  let closed = false;

  const assertOpen = (): void => {
    if (closed) throw new FltsError("STORE_UNAVAILABLE", "The memory store is closed");
  };

  const find = (ref: ObjectRef): MemoryObject | null => {
    assertOpen();
    assertObjectName(ref);
    return buckets.get(ref.bucket)?.get(ref.key) ?? null;
  };

  const infoOf = ({ etag, sizeBytes }: MemoryObject): ObjectInfo => ({ etag, sizeBytes });

  return {
    ensureBucket: async (bucket) => {
      assertOpen();
      assertBucketName(bucket);
      if (!buckets.has(bucket)) buckets.set(bucket, new Map());
    },
    put: async (ref, body, putOptions = {}) => {
      assertOpen();
      assertObjectName(ref);
      const bytes = await collect(ref, body, putOptions.maxBytes);
      // From here on nothing waits: the condition and the write are one step.
      const bucket = buckets.get(ref.bucket);
      if (!bucket) throw new FltsError("BUCKET_MISSING", `There is no such bucket (${describeRef(ref)})`);
      assertCondition(ref, bucket.get(ref.key)?.etag ?? null, putOptions.condition);
      versions += 1;
      const object = {
        etag: `memory-${versions}`,
        sizeBytes: bytes.byteLength,
        bytes,
        modifiedAt: clock.now(),
      };
      bucket.set(ref.key, object);
      return infoOf(object);
    },
    get: async (ref) => {
      const object = find(ref);
      return object && { ...infoOf(object), bytes: new Uint8Array(object.bytes) };
    },
    stream: async (ref) => {
      const object = find(ref);
      return object && { ...infoOf(object), chunks: chunksOf(object.bytes) };
    },
    head: async (ref) => {
      const object = find(ref);
      return object && infoOf(object);
    },
    async *list(bucket, prefix): AsyncGenerator<ListedObject> {
      assertOpen();
      assertBucketName(bucket);
      const objects = buckets.get(bucket) ?? new Map<string, MemoryObject>();
      for (const key of [...objects.keys()].filter((name) => name.startsWith(prefix)).toSorted(compareKeys)) {
        const object = objects.get(key);
        if (object) yield { key, ...infoOf(object), modifiedAt: object.modifiedAt };
      }
    },
    remove: async (ref) => {
      find(ref);
      buckets.get(ref.bucket)?.delete(ref.key);
    },
    ping: async () => assertOpen(),
    close: async () => {
      closed = true;
    },
  };
}

async function collect(
  ref: ObjectRef,
  body: Uint8Array | AsyncIterable<Uint8Array>,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) {
      throw new FltsError(
        "OBJECT_TOO_LARGE",
        `The object has more than ${maxBytes} bytes (${describeRef(ref)})`,
      );
    }
    chunks.push(new Uint8Array(chunk));
  }
  return Buffer.concat(chunks);
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += streamChunkBytes) {
    yield new Uint8Array(bytes.subarray(start, start + streamChunkBytes));
  }
}
