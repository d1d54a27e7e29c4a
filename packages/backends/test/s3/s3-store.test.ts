import type { ObjectStore } from "@flts/common/ports/object-store";
import { collect } from "@flts/testing/contract/collect";
import { expectCode } from "@flts/testing/contract/expect-code";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeS3, type Fate, openOn, startFakeS3 } from "./fake-s3.ts";

const ref = { bucket: "bucket", key: "folder/key" };
const path = "/bucket/folder/key";
const bytes = Buffer.from("bytes");
const create = { condition: { ifNoneMatch: "*" } } as const;

let fake: FakeS3;
let store: ObjectStore;
let waitsMs: readonly number[];

beforeEach(async () => {
  fake = await startFakeS3();
  ({ store, waitsMs } = openOn(fake));
});
afterEach(async () => {
  await store.close();
  await fake.close();
});

const present = (): string | undefined => fake.objects.get(path)?.bytes.toString();
/** Another writer comes between two attempts of ours. */
const whenAnotherWrote = (content: string, fate: Fate) => () => {
  fake.objects.set(path, { bytes: Buffer.from(content), receipt: "another's" });
  return fate;
};

async function* large(): AsyncGenerator<Uint8Array> {
  for (let part = 0; part < 20; part += 1) yield Buffer.alloc(1024 * 1024, part);
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield* large();
  throw new Error("the sender hung up");
}

describe("a conditional write", () => {
  test("that is refused at once has lost, and asks no further", async () => {
    fake.objects.set(path, { bytes: Buffer.from("theirs"), receipt: undefined });
    await expectCode("OBJECT_CONFLICT", store.put(ref, bytes, create), /bucket=bucket, key=folder\/key/);
    expect(fake.requests).toStrictEqual([`PUT ${path}`]);
  });

  test("whose answer was lost knows its own work again", async () => {
    fake.fates.push("answer lost");
    const info = await store.put(ref, bytes, create);
    expect(info).toStrictEqual(await store.head(ref));
    expect(fake.requests.slice(0, 3)).toStrictEqual([`PUT ${path}`, `PUT ${path}`, `HEAD ${path}`]);
  });

  test("that never arrived is not fooled by another's equal bytes", async () => {
    fake.fates.push("dropped", whenAnotherWrote("bytes", "served"));
    await expectCode("STORE_UNAVAILABLE", store.put(ref, bytes, create), /nobody can tell/);
  });

  test("that was carried out, lost its answer and was replaced says that nobody can tell", async () => {
    const { etag } = await store.put(ref, Buffer.from("before"));
    fake.fates.push("answer lost", whenAnotherWrote("after", "served"));
    const swap = store.put(ref, bytes, { condition: { ifMatch: etag } });
    await expectCode("STORE_UNAVAILABLE", swap, /nobody can tell/);
    expect(present()).toBe("after");
  });

  test("that never left the machine is refused like a first one", async () => {
    fake.fates.push(
      { status: 409, code: "ConditionalRequestConflict" },
      whenAnotherWrote("theirs", "served"),
    );
    await store.put(ref, bytes, create).then(
      () => expect.unreachable(),
      () => undefined,
    );
    expect(fake.requests).toStrictEqual([`PUT ${path}`, `PUT ${path}`]);
  });

  test("on an absent object has lost", async () => {
    fake.fates.push({ status: 404, code: "NoSuchKey" });
    await expectCode("OBJECT_CONFLICT", store.put(ref, bytes, { condition: { ifMatch: '"x"' } }), /absent/);
  });
});

describe("a write in parts", () => {
  test("puts its parts together in order", async () => {
    const { sizeBytes } = await store.put(ref, large());
    expect(sizeBytes).toBe(20 * 1024 * 1024);
    expect(fake.objects.get(path)?.bytes.equals(Buffer.concat(await collect(large())))).toBe(true);
    expect(fake.requests).toStrictEqual([`POST ${path}`, ...Array(3).fill(`PUT ${path}`), `POST ${path}`]);
  });

  test("sends a part again that was lost", async () => {
    fake.fates.push("served", "dropped");
    await store.put(ref, large());
    expect(fake.objects.get(path)?.bytes.equals(Buffer.concat(await collect(large())))).toBe(true);
  });

  test.each([{}, create])("whose last answer was lost knows its own work again: %j", async (options) => {
    fake.fates.push("served", "served", "served", "served", "answer lost");
    expect(await store.put(ref, large(), options)).toStrictEqual(await store.head(ref));
  });

  test("loses to whoever wrote meanwhile, and leaves no parts", async () => {
    fake.fates.push("served", "served", "served", "served", whenAnotherWrote("theirs", "served"));
    await expectCode("OBJECT_CONFLICT", store.put(ref, large(), create));
    expect(fake.uploads.size).toBe(0);
    expect(present()).toBe("theirs");
  });

  test("leaves no parts when a part cannot be sent", async () => {
    fake.fates.push("served", { status: 400, code: "EntityTooLarge" });
    await expectCode("OBJECT_TOO_LARGE", store.put(ref, large()));
    expect(fake.uploads.size).toBe(0);
  });

  test("tells the sender when no more is wanted", async () => {
    fake.fates.push({ status: 400, code: "EntityTooLarge" });
    const body = large();
    await expectCode("OBJECT_TOO_LARGE", store.put(ref, body));
    expect(await body.next()).toStrictEqual({ done: true, value: undefined });
  });

  test("leaves no parts when the sender hangs up", async () => {
    await expect(store.put(ref, broken())).rejects.toThrow("the sender hung up");
    expect(fake.uploads.size).toBe(0);
    expect(present()).toBeUndefined();
  });
});

describe("a read", () => {
  beforeEach(() => {
    fake.objects.set(path, { bytes, receipt: undefined });
  });

  test("is sent again when its answer breaks off", async () => {
    fake.fates.push("truncated");
    expect((await store.get(ref))?.bytes).toStrictEqual(bytes);
  });

  test("notices that a stream broke off", async () => {
    fake.fates.push("truncated");
    const reading = (async () => {
      for await (const chunk of (await store.stream(ref))?.chunks ?? [])
        expect(chunk.toString()).toBe("half");
    })();
    await expectCode("STORE_UNAVAILABLE", reading, /folder\/key/);
  });

  test("lets go of a stream that nobody reads, even when it breaks", async () => {
    fake.fates.push("truncated");
    const object = await store.stream(ref);
    await object?.chunks[Symbol.asyncIterator]().return?.();
    expect((await store.get(ref))?.bytes).toStrictEqual(bytes);
  });

  test("takes no other server's 404 for an absent object", async () => {
    fake.fates.push(...Array.from({ length: 4 }, () => ({ status: 404 })));
    await expectCode("STORE_UNAVAILABLE", store.get(ref));
  });

  test.each([404, 403])("asks why, when a HEAD is refused with %i and says nothing", async (status) => {
    fake.fates.push({ status }, { status, code: "XAdminUserNotFound" });
    await expectCode("STORE_FORBIDDEN", store.head(ref), /AWS_ACCESS_KEY_ID/);
    expect(fake.requests).toStrictEqual([`HEAD ${path}`, `GET ${path}`]);
  });
});

describe("an outage", () => {
  test.each(["dropped", { status: 503, code: "SlowDown" }, { status: 500 }] as const)(
    "that passes is bridged: %j",
    async (fate) => {
      fake.fates.push(fate, fate, fate);
      await store.put(ref, bytes);
      expect(present()).toBe("bytes");
      expect(waitsMs).toHaveLength(3);
      expect(waitsMs.toSorted((a, b) => a - b)).toStrictEqual(waitsMs);
    },
  );

  test("that lasts is told after some two seconds", async () => {
    fake.fates.push(...Array<Fate>(4).fill("dropped"));
    await expectCode("STORE_UNAVAILABLE", store.get(ref), /key=folder\/key/);
    const waitedMs = waitsMs.reduce((sum, ms) => sum + ms, 0);
    expect(waitedMs).toBeGreaterThan(1000);
    expect(waitedMs).toBeLessThan(2200);
  });

  test("is told by a ping at once", async () => {
    fake.fates.push("dropped");
    await expectCode("STORE_UNAVAILABLE", store.ping());
    expect(waitsMs).toStrictEqual([]);
  });

  test("is what a closed store has", async () => {
    await store.close();
    await expectCode("STORE_UNAVAILABLE", store.get(ref), /closed/);
  });
});

test("who may not list buckets still has a store that answers", async () => {
  fake.fates.push({ status: 403, code: "AccessDenied" });
  await store.ping();
  fake.fates.push({ status: 403, code: "SignatureDoesNotMatch" });
  await expectCode("STORE_FORBIDDEN", store.ping());
});
