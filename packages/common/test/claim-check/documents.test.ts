import { createMemoryStore } from "@flts/testing/memory-store";
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { encodeDocument, readDocument, writeDocument } from "../../src/claim-check/documents.ts";

const ref = { bucket: "model-promotion", key: "global/current.json" };
const schema = z.looseObject({ epoch: z.number() });

async function storeWith(bytes?: Uint8Array) {
  const store = createMemoryStore();
  await store.ensureBucket(ref.bucket);
  if (bytes !== undefined) await store.put(ref, bytes);
  return store;
}

test("a document comes back as it was written, with the ETag to replace it by", async () => {
  const store = await storeWith();
  await fc.assert(
    fc.asyncProperty(
      fc.record({ epoch: fc.integer(), note: fc.string({ unit: "grapheme" }) }),
      async (document) => {
        const { etag } = await writeDocument(store, ref, document);
        expect(await readDocument(store, ref, schema, "POINTER_INVALID")).toEqual({ document, etag });
      },
    ),
  );
});

test("an absent document is null", async () => {
  expect(await readDocument(await storeWith(), ref, schema, "POINTER_INVALID")).toBeNull();
});

test.each([
  ["no JSON", Buffer.from("{"), /not a JSON document/],
  ["an empty object", Buffer.alloc(0), /not a JSON document/],
  ["not UTF-8", Buffer.from([0xff]), /not a JSON document/],
  ["another document", encodeDocument({ epoch: "1" }), /epoch: .*number/],
  ["no object", encodeDocument([]), /document: /],
])(
  "%s is refused with the caller's code, and the error says where it lies",
  async (_name, bytes, message) => {
    const reading = readDocument(await storeWith(bytes), ref, schema, "ARTIFACT_INVALID");
    await expect(reading).rejects.toMatchObject({
      code: "ARTIFACT_INVALID",
      message: expect.stringMatching(
        new RegExp(`${message.source}.*bucket=model-promotion, key=global/current.json`),
      ),
    });
  },
);

test("a condition that does not hold writes nothing", async () => {
  const store = await storeWith();
  const { etag } = await writeDocument(store, ref, { epoch: 1 }, { ifNoneMatch: "*" });
  for (const condition of [{ ifNoneMatch: "*" as const }, { ifMatch: "another" }])
    await expect(writeDocument(store, ref, { epoch: 2 }, condition)).rejects.toMatchObject({
      code: "OBJECT_CONFLICT",
    });
  expect(await readDocument(store, ref, schema, "POINTER_INVALID")).toEqual({ document: { epoch: 1 }, etag });
});

test("documents are indented and end with a line feed, for the people who open them", () => {
  expect(Buffer.from(encodeDocument({ epoch: 1 })).toString()).toBe('{\n  "epoch": 1\n}\n');
});
