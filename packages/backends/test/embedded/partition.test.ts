import fc from "fast-check";
import { expect, test } from "vitest";
import { partitionOfKey } from "../../src/embedded/partition.ts";

test("a key's partition never changes: order across releases depends on it", () => {
  const keys = ["train-claim", "train-claim/PobleSec", "train-claim/ElBorn", "trained-LSTM", "promotion", ""];
  expect(keys.map((key) => partitionOfKey(key, 12))).toMatchInlineSnapshot(`
    [
      4,
      5,
      1,
      0,
      9,
      8,
    ]
  `);
});

test("every key has a partition that exists", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 100 }), (key, partitions) => {
      const partition = partitionOfKey(key, partitions);
      expect(Number.isInteger(partition) && partition >= 0 && partition < partitions).toBe(true);
    }),
  );
});

test("similar keys spread over the partitions", () => {
  const counts = [0, 0, 0, 0];
  for (let station = 0; station < 400; station += 1) {
    const partition = partitionOfKey(`train-claim/station-${station}`, 4);
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  for (const count of counts) expect(count).toBeGreaterThan(60);
});
