import { createHash } from "node:crypto";
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from "@aws-sdk/client-s3";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { expectCode } from "@flts/testing/contract/expect-code";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { usedBytes } from "@flts/testing/used-memory";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assertConditionalWrites } from "../../src/conditional-writes.ts";
import { open, serverLocation } from "./open-s3-store.ts";

const bucket = `limits-${Date.now().toString(36)}`;
const MiB = 1024 * 1024;

let store: ObjectStore;
/** Without the adapter, to look behind it. */
let bare: S3Client;

beforeAll(async () => {
  store = await open();
  const { endpoint, region, accessKeyId, secretAccessKey } = serverLocation();
  bare = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  await bare.send(new CreateBucketCommand({ Bucket: bucket }));
});
afterAll(async () => {
  bare.destroy();
  await store.close();
});

const unfinished = async (): Promise<number> =>
  (await bare.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0;

/** Megabytes that differ, and a digest of those that were taken. */
function megabytes(count: number) {
  const digest = createHash("sha256");
  const chunks = (async function* () {
    for (let index = 0; index < count; index += 1) {
      const chunk = Buffer.alloc(MiB, index);
      digest.update(chunk);
      yield chunk;
    }
  })();
  return { chunks, digest };
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield* megabytes(20).chunks;
  throw new Error("the sender hung up");
}

test("this server keeps conditional writes", async () => {
  await expect(assertConditionalWrites(store, bucket, createSeededRandom(Date.now()))).resolves.toBe(
    undefined,
  );
});

describe("objects in parts", () => {
  test("256 MiB go in and out while memory stays flat", async () => {
    const before = usedBytes();
    let peakBytes = 0;
    let looks = 0;
    const look = (): void => {
      if (looks++ % 16 === 0) peakBytes = Math.max(peakBytes, usedBytes() - before);
    };
    const { chunks, digest } = megabytes(256);
    const watched = (async function* () {
      for await (const chunk of chunks) {
        look();
        yield chunk;
      }
    })();
    const ref = { bucket, key: "large" };
    await store.put(ref, watched);
    const received = createHash("sha256");
    for await (const chunk of (await store.stream(ref))?.chunks ?? []) {
      look();
      received.update(chunk);
    }
    expect(received.digest("hex")).toBe(digest.digest("hex"));
    expect(peakBytes).toBeLessThan(128 * MiB);
    await store.remove(ref);
  });

  test("are created once, and replace exactly the version they expect", async () => {
    const ref = { bucket, key: "once" };
    const create = { condition: { ifNoneMatch: "*" } } as const;
    const { etag } = await store.put(ref, megabytes(17).chunks, create);
    await expectCode("OBJECT_CONFLICT", store.put(ref, megabytes(18).chunks, create));
    await expectCode(
      "OBJECT_CONFLICT",
      store.put(ref, megabytes(18).chunks, { condition: { ifMatch: '"other"' } }),
    );
    const absent = { bucket, key: "absent" };
    await expectCode(
      "OBJECT_CONFLICT",
      store.put(absent, megabytes(18).chunks, { condition: { ifMatch: etag } }),
    );
    expect(await store.head(ref)).toStrictEqual({ etag, sizeBytes: 17 * MiB });
    await store.put(ref, megabytes(18).chunks, { condition: { ifMatch: etag } });
    expect((await store.head(ref))?.sizeBytes).toBe(18 * MiB);
    expect(await unfinished()).toBe(0);
  });

  test("have one winner among eight that create at once", async () => {
    const ref = { bucket, key: "race" };
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) =>
        store.put(ref, megabytes(9 + index).chunks, { condition: { ifNoneMatch: "*" } }),
      ),
    );
    const won = outcomes.filter((outcome) => outcome.status === "fulfilled");
    expect(won).toHaveLength(1);
    expect(await store.head(ref)).toStrictEqual(won[0]?.value);
    expect(await unfinished()).toBe(0);
  });

  test("that fail leave nothing behind", async () => {
    const ref = { bucket, key: "failed" };
    await expect(store.put(ref, broken())).rejects.toThrow("the sender hung up");
    await expectCode("OBJECT_TOO_LARGE", store.put(ref, megabytes(20).chunks, { maxBytes: 19 * MiB }));
    expect(await store.head(ref)).toBeNull();
    expect(await unfinished()).toBe(0);
  });
});

describe("wrong credentials", () => {
  test.each([{ accessKeyId: "nobody" }, { secretAccessKey: "guessed" }])(
    "are named in every operation, and never taken for an absent object: %j",
    async (change) => {
      const ref = { bucket, key: "secret" };
      await store.put(ref, Buffer.from("secret"));
      const stranger = await open(change);
      const operations = [
        () => stranger.ping(),
        () => stranger.get(ref),
        () => stranger.head(ref),
        () => stranger.stream(ref),
        () => stranger.put(ref, Buffer.from("x")),
        () => stranger.remove(ref),
        () => stranger.ensureBucket(bucket),
        () => stranger.ensureBucket(`${bucket}-new`),
        () => stranger.list(bucket, "")[Symbol.asyncIterator]().next(),
      ];
      for (const operation of operations)
        await expectCode("STORE_FORBIDDEN", operation(), /AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY/);
      await stranger.close();
    },
  );
});

test("a store that is not there is unavailable, and says where it was looked for", async () => {
  const away = await open({ endpoint: "http://127.0.0.1:9" });
  await expectCode("STORE_UNAVAILABLE", away.ping(), /127\.0\.0\.1:9/);
  await expectCode("STORE_UNAVAILABLE", away.get({ bucket, key: "a" }), /key=a/);
  await away.close();
});
