import fc from "fast-check";
import { expect, test } from "vitest";
import { batchesOf } from "../../src/mlflow/batches.ts";

const sizeOf = (items: readonly string[]): number =>
  items.reduce((bytes, item) => bytes + Buffer.byteLength(JSON.stringify(item)) + 1, 0);

test("batches hold every item in order, keep to both limits, and waste no room", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme", maxLength: 40 })),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 200 }),
      (items, maxItems, maxBytes) => {
        const batches = batchesOf(items, { maxItems, maxBytes });
        expect(batches.flat()).toStrictEqual(items);
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(maxItems);
        }
        expect(batches.filter((batch) => batch.length > 1 && sizeOf(batch) > maxBytes)).toStrictEqual([]);
        const wasteful = batches.filter((batch, index) => {
          const next = batches[index + 1]?.[0];
          return next !== undefined && batch.length < maxItems && sizeOf([...batch, next]) <= maxBytes;
        });
        expect(wasteful).toStrictEqual([]);
      },
    ),
  );
});

test("nothing makes no batch", () => {
  expect(batchesOf([], { maxItems: 10, maxBytes: 10 })).toStrictEqual([]);
});
