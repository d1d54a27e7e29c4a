import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Batch, type BatchQueue, type Caller, createBatchQueue } from "../../src/compute/batch-queue.ts";

const shape = { cells: 2, answers: 1 };
const anybody: Caller = { check: () => {}, computed: () => {} };

function createHarness() {
  let now = 0;
  const queue = createBatchQueue(shape, () => now++);
  /** A request of windows that carry their own names. */
  const add = (names: readonly number[], caller = anybody): Promise<Float64Array> =>
    queue.add(Float64Array.from(names.flatMap((name) => [name, -name])), Float64Array.from(names), caller);
  return { queue, add };
}

/** Answers each window by ten times its name. */
function answer(batch: Batch | null): void {
  if (batch === null) throw new Error("nobody waits");
  const names = batch.windows.filter((_, cell) => cell % shape.cells === 0);
  expect(names).toEqual(batch.endTimesMs);
  batch.resolve(names.map((name) => name * 10));
}

const drain = (queue: BatchQueue, size: number): number => {
  let batches = 0;
  for (let batch = queue.take(size); batch !== null; batch = queue.take(size)) {
    answer(batch);
    batches += 1;
  }
  return batches;
};

describe("a queue of windows", () => {
  it("puts the windows of several requests into one batch, and gives each its own answers", async () => {
    const { queue, add } = createHarness();
    const requests = [add([1]), add([2, 3]), add([4])];
    expect(queue.size()).toBe(4);
    expect(drain(queue, 64)).toBe(1);
    expect((await Promise.all(requests)).map((values) => [...values])).toEqual([[10], [20, 30], [40]]);
    expect([queue.size(), queue.waitingSinceMs()]).toEqual([0, null]);
  });

  it("answers no windows with none", async () => {
    expect(await createHarness().add([])).toHaveLength(0);
  });

  it("sends a request that is too large for a batch to the end of the line with its rest", async () => {
    const { queue, add } = createHarness();
    const order: string[] = [];
    const large = add([1, 2, 3, 4, 5]).then(() => order.push("large"));
    const small = add([6]).then(() => order.push("small"));
    answer(queue.take(2));
    answer(queue.take(2));
    await small;
    drain(queue, 2);
    await large;
    expect(order).toEqual(["small", "large"]);
  });

  it("computes nothing for those who do not wait any more, and tells them why", async () => {
    const { queue, add } = createHarness();
    const gone = add([1], {
      ...anybody,
      check: () => {
        throw new Error("gone");
      },
    });
    const here = add([2]);
    expect(queue.take(64)?.endTimesMs).toEqual(Float64Array.of(2));
    await expect(gone).rejects.toThrow("gone");
    expect(queue.take(64)).toBeNull();
    await expect(Promise.race([here, Promise.resolve("waits")])).resolves.toBe("waits");
  });

  it("says how many windows were computed for whom", async () => {
    const { queue, add } = createHarness();
    let computed = 0;
    const request = add([1, 2, 3], { ...anybody, computed: (windows) => (computed += windows) });
    answer(queue.take(2));
    expect(computed).toBe(2);
    drain(queue, 2);
    await request;
    expect(computed).toBe(3);
  });

  it("computes the parts of a batch that failed once more, each alone", async () => {
    const { queue, add } = createHarness();
    const requests = [add([1]), add([2]), add([3])];
    queue.take(64)?.reject(new Error("one of you is bad"));
    expect(queue.size()).toBe(3);
    answer(queue.take(64));
    const second = queue.take(64);
    expect(second?.endTimesMs).toEqual(Float64Array.of(2));
    second?.reject(new Error("you are bad"));
    answer(queue.take(64));
    const outcomes = await Promise.allSettled(requests);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  it("forgets the rest of a request of which a part failed for good", async () => {
    const { queue, add } = createHarness();
    const request = add([1, 2]);
    queue.take(1)?.reject(new Error("bad"));
    queue.take(1)?.reject(new Error("still bad"));
    await expect(request).rejects.toThrow("still bad");
    expect([queue.take(1), queue.size()]).toEqual([null, 0]);
  });

  it("never crosses answers, however requests, batch sizes, threads and failures meet", async () => {
    const happening = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant("add" as const), count: fc.integer({ min: 1, max: 9 }) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant("take" as const), size: fc.integer({ min: 1, max: 8 }) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant("end" as const), which: fc.nat(5), fails: fc.boolean() }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 80 }), async (happenings) => {
        const { queue, add } = createHarness();
        const underWay: Batch[] = [];
        const requests: Promise<[readonly number[], Float64Array | null]>[] = [];
        let name = 0;
        let largest = 0;
        for (const next of happenings) {
          if (next.kind === "add") {
            const names = Array.from({ length: next.count }, () => ++name);
            requests.push(
              add(names).then(
                (values) => [names, values],
                () => [names, null],
              ),
            );
          } else if (next.kind === "take") {
            const batch = queue.take(next.size);
            if (batch !== null) underWay.push(batch);
            largest = Math.max(largest, (batch?.endTimesMs.length ?? 0) - next.size);
          } else {
            const [batch] = underWay.splice(next.which % Math.max(1, underWay.length), 1);
            if (next.fails) batch?.reject(new Error("failed"));
            else if (batch !== undefined) answer(batch);
          }
        }
        for (const batch of underWay) answer(batch);
        drain(queue, 3);
        expect(queue.size()).toBe(0);
        for (const [names, values] of await Promise.all(requests))
          expect(values === null || values.every((value, index) => value === names[index]! * 10)).toBe(true);
        expect(largest).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
