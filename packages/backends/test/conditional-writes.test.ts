import type { ObjectStore, PutOptions } from "@flts/common/ports/object-store";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { expect, test } from "vitest";
import { assertConditionalWrites } from "../src/conditional-writes.ts";

const bucket = "model-promotion";

async function memoryStore(): Promise<ObjectStore> {
  const store = createMemoryStore();
  await store.ensureBucket(bucket);
  return store;
}

/** A store that forgets conditions. */
function forgetful(
  store: ObjectStore,
  forgets: (condition: NonNullable<PutOptions["condition"]>) => boolean,
): ObjectStore {
  return {
    ...store,
    put: (ref, body, { condition, ...options } = {}) =>
      store.put(ref, body, { ...options, ...(condition && !forgets(condition) ? { condition } : {}) }),
  };
}

/** A store that looks first and writes a moment later, as one that knows no conditions is often made to seem. */
function hesitant(store: ObjectStore): ObjectStore {
  return {
    ...store,
    put: async (ref, body, { condition, ...options } = {}) => {
      const present = await store.head(ref);
      const expected = condition && "ifMatch" in condition ? condition.ifMatch : undefined;
      if (condition && present?.etag !== expected) return store.put(ref, body, { ...options, condition });
      await new Promise(setImmediate);
      return store.put(ref, body, options);
    },
  };
}

test("a store that keeps conditions passes, and nothing is left behind", async () => {
  const store = await memoryStore();
  await assertConditionalWrites(store, bucket, createSeededRandom(1));
  for await (const { key } of store.list(bucket, "")) expect.unreachable(key);
});

test.each([
  ["If-None-Match", forgetful(await memoryStore(), (condition) => "ifNoneMatch" in condition)],
  ["If-Match", forgetful(await memoryStore(), (condition) => "ifMatch" in condition)],
  ["If-None-Match", hesitant(await memoryStore())],
])("a store that does not keep %s is refused", async (name, store) => {
  await expect(assertConditionalWrites(store, bucket, createSeededRandom(1))).rejects.toMatchObject({
    code: "STORE_UNSAFE",
    kind: "fatal",
    message: expect.stringContaining(name),
  });
});

test("a store that takes If-Match on an absent object for a creation is refused", async () => {
  const store = await memoryStore();
  const lax: ObjectStore = {
    ...store,
    put: async (ref, body, options = {}) => {
      const creates = "ifMatch" in (options.condition ?? {}) && (await store.head(ref)) === null;
      return store.put(ref, body, creates ? {} : options);
    },
  };
  await expect(assertConditionalWrites(lax, bucket, createSeededRandom(1))).rejects.toMatchObject({
    code: "STORE_UNSAFE",
    message: expect.stringContaining("absent"),
  });
});

test("an outage is not taken for a verdict on the store", async () => {
  const store = await memoryStore();
  await store.close();
  await expect(assertConditionalWrites(store, bucket, createSeededRandom(1))).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
  });
});
