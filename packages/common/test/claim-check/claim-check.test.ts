import { createMemoryStore } from "@flts/testing/memory-store";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openClaim, storeClaimed } from "../../src/claim-check/claim-check.ts";
import { FltsError } from "../../src/contracts/errors.ts";
import { sha256 } from "../../src/contracts/identity.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";

const bucket = "processed-data";
const keyOf = (digest: string): string => `${digest}/table.parquet`;
const options = { allowedBuckets: [bucket], maxBytes: 1_000 };
const bytes = Buffer.from("measurements");

async function storeWithBucket(): Promise<ObjectStore> {
  const store = createMemoryStore();
  await store.ensureBucket(bucket);
  await store.ensureBucket("secrets");
  return store;
}

const refusedAs = (code: string, message: RegExp) => ({
  code,
  message: expect.stringMatching(message) as string,
});

test("a claim has the size and the digest of its bytes, and the digest is part of its key", async () => {
  const claim = await storeClaimed(await storeWithBucket(), bucket, keyOf, bytes);
  const digest = sha256(bytes);
  expect(claim).toEqual({ bucket, object: `${digest}/table.parquet`, size: 12, sha256: digest });
});

test("what was stored is what is opened", async () => {
  const store = await storeWithBucket();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 1_000 }), async (content) => {
      const opened = await openClaim(store, await storeClaimed(store, bucket, keyOf, content), options);
      expect(Buffer.from(opened)).toEqual(Buffer.from(content));
    }),
  );
});

test("storing the same bytes again gives the same claim and writes nothing", async () => {
  const store = await storeWithBucket();
  const claim = await storeClaimed(store, bucket, keyOf, bytes);
  const first = await store.head({ bucket, key: claim.object });
  expect(await storeClaimed(store, bucket, keyOf, bytes)).toEqual(claim);
  expect(await store.head({ bucket, key: claim.object })).toEqual(first);
});

test("an outage while storing is told, not taken for an object that is there already", async () => {
  const store = await storeWithBucket();
  await store.close();
  await expect(storeClaimed(store, bucket, keyOf, bytes)).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
  });
});

test("tampered bytes fail the integrity check, and the error says where", async () => {
  const store = await storeWithBucket();
  const claim = await storeClaimed(store, bucket, keyOf, bytes);
  await store.put({ bucket, key: claim.object }, Buffer.from("Measurements"));
  await expect(openClaim(store, claim, options)).rejects.toMatchObject(
    refusedAs("CLAIM_CORRUPT", new RegExp(`integrity check failed.*bucket=${bucket}, key=${claim.object}`)),
  );
});

test("the reference's claim has no digest and a size that means rows: its bytes are taken as they are", async () => {
  const store = await storeWithBucket();
  await store.put({ bucket, key: "processed_data.parquet" }, bytes);
  const claim = { bucket, object: "processed_data.parquet", size: 15_927 };
  expect(Buffer.from(await openClaim(store, claim, options))).toEqual(bytes);
});

test("an object that is not there yet is missing, which time may mend", async () => {
  const claim = { bucket, object: "absent", size: 1 };
  await expect(openClaim(await storeWithBucket(), claim, options)).rejects.toMatchObject({
    ...refusedAs("CLAIM_MISSING", /bucket=processed-data, key=absent/),
    kind: "retryable",
  });
});

test("an object that goes between being looked at and being read is missing, too", async () => {
  const store = await storeWithBucket();
  const claim = await storeClaimed(store, bucket, keyOf, bytes);
  const emptied = { ...store, get: async () => null };
  await expect(openClaim(emptied, claim, options)).rejects.toMatchObject({ code: "CLAIM_MISSING" });
});

test("a claim on a bucket that is not allowed is refused without looking into it", async () => {
  const store = unreadable(await storeWithBucket());
  const claim = { bucket: "secrets", object: "key", size: 1 };
  await expect(openClaim(store, claim, options)).rejects.toMatchObject(
    refusedAs("CLAIM_FORBIDDEN", /processed-data, not bucket=secrets, key=key/),
  );
});

test("an object that is too large is refused before it is read", async () => {
  const store = await storeWithBucket();
  const claim = await storeClaimed(store, bucket, keyOf, Buffer.alloc(1_001));
  const guarded = { ...unreadable(store), head: store.head };
  await expect(openClaim(guarded, claim, options)).rejects.toMatchObject(
    refusedAs("OBJECT_TOO_LARGE", /1001 bytes, at most 1000/),
  );
});

test("an object of exactly the limit is read", async () => {
  const store = await storeWithBucket();
  const claim = await storeClaimed(store, bucket, keyOf, Buffer.alloc(1_000));
  expect(await openClaim(store, claim, options)).toHaveLength(1_000);
});

const refuse = () => Promise.reject(new FltsError("STORE_FORBIDDEN", "this test forbids reading"));

/** A store that must not be read from. */
function unreadable(store: ObjectStore): ObjectStore {
  return { ...store, head: refuse, get: refuse, stream: refuse };
}
