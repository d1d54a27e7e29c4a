import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Batch, type BatchQueue, type Caller, createBatchQueue } from "../../src/compute/batch-queue.ts";

const shape = { cells: 2, answers: 1 };
const anybody: Caller = { check: () => {}, computed: () => {} };

function createHarness() {
  let now = 0;
  const queue = createBatchQueue(shape, () => now++);
  /** A request of windows that carry their own names, and how often they were moved on. */
  const add = (names: readonly number[], caller = anybody, blocks = 1): Promise<Float64Array> =>
    queue.add(
      Float64Array.from(names.flatMap((name) => [name, 0])),
      Float64Array.from(names),
      blocks,
      caller,
    );
  const take = (size: number, answers = size): Batch | null => queue.take(size, answers);
  return { queue, add, take };
}

/** Answers each window by ten times its name and how often it was moved on before. */
function answer(batch: Batch | null): void {
  if (batch === null) throw new Error("nobody waits");
  const { windows, endTimesMs, blocks, goesOn } = batch;
  const [names, moves] = [0, 1].map((place) => windows.filter((_, cell) => cell % shape.cells === place));
  expect(endTimesMs).toEqual(names!.map((name, index) => name + moves![index]!));
  const forecast = Float64Array.from(
    { length: names!.length * blocks },
    (_, at) => names![Math.floor(at / blocks)]! * 10 + moves![Math.floor(at / blocks)]! + (at % blocks),
  );
  const moved = windows.map((cell, at) => (at % shape.cells === 1 ? cell + blocks : cell));
  const ends = endTimesMs.map((end) => end + blocks);
  batch.resolve({ forecast, windows: goesOn ? moved : null, endTimesMs: goesOn ? ends : null });
}

const drain = (queue: BatchQueue, size: number): number => {
  let batches = 0;
  for (let batch = queue.take(size, size); batch !== null; batch = queue.take(size, size)) {
    answer(batch);
    batches += 1;
  }
  return batches;
};

/** What a window of this name is answered. */
const rolled = (name: number, blocks: number): number[] =>
  Array.from({ length: blocks }, (_, block) => name * 10 + block);

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
    const { queue, add, take } = createHarness();
    const order: string[] = [];
    const large = add([1, 2, 3, 4, 5]).then(() => order.push("large"));
    const small = add([6]).then(() => order.push("small"));
    answer(take(2));
    answer(take(2));
    await small;
    drain(queue, 2);
    await large;
    expect(order).toEqual(["small", "large"]);
  });

  it("computes nothing for those who do not wait any more, and tells them why", async () => {
    const { add, take } = createHarness();
    const gone = add([1], {
      ...anybody,
      check: () => {
        throw new Error("gone");
      },
    });
    const here = add([2]);
    expect(take(64)?.endTimesMs).toEqual(Float64Array.of(2));
    await expect(gone).rejects.toThrow("gone");
    expect(take(64)).toBeNull();
    await expect(Promise.race([here, Promise.resolve("waits")])).resolves.toBe("waits");
  });

  it("rolls a batch on as far as its shortest part needs, and within bounds", async () => {
    const { queue, add, take } = createHarness();
    const [long, short] = [add([1, 2], anybody, 5), add([3], anybody, 2)];
    const first = take(64, 64);
    expect(first).toMatchObject({ blocks: 2, goesOn: true });
    answer(first);
    expect([...(await short)]).toEqual([30, 31]);
    expect(queue.size()).toBe(2);
    const second = take(64, 5);
    expect(second).toMatchObject({ blocks: 2, goesOn: true });
    answer(second);
    const last = take(64, 1);
    expect(last).toMatchObject({ blocks: 1, goesOn: false });
    answer(last);
    expect([...(await long)]).toEqual([10, 11, 12, 13, 14, 20, 21, 22, 23, 24]);
  });

  it("goes on from where it was when a batch fails on the way", async () => {
    const { queue, add, take } = createHarness();
    const request = add([4], anybody, 3);
    answer(take(1, 2));
    take(1)?.reject(new Error("not now"));
    drain(queue, 1);
    expect([...(await request)]).toEqual([40, 41, 42]);
  });

  it("says how many windows were computed for whom", async () => {
    const { queue, add, take } = createHarness();
    let computed = 0;
    const request = add([1, 2, 3], { ...anybody, computed: (windows) => (computed += windows) });
    answer(take(2));
    expect(computed).toBe(2);
    drain(queue, 2);
    await request;
    expect(computed).toBe(3);
  });

  it("computes the parts of a batch that failed once more, each alone", async () => {
    const { queue, add, take } = createHarness();
    const requests = [add([1]), add([2]), add([3])];
    take(64)?.reject(new Error("one of you is bad"));
    expect(queue.size()).toBe(3);
    answer(take(64));
    const second = take(64);
    expect(second?.endTimesMs).toEqual(Float64Array.of(2));
    second?.reject(new Error("you are bad"));
    answer(take(64));
    const outcomes = await Promise.allSettled(requests);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  it("forgets the rest of a request of which a part failed for good", async () => {
    const { queue, add, take } = createHarness();
    const request = add([1, 2]);
    take(1)?.reject(new Error("bad"));
    take(1)?.reject(new Error("still bad"));
    await expect(request).rejects.toThrow("still bad");
    expect([take(1), queue.size()]).toEqual([null, 0]);
  });

  it("never crosses answers, however requests, batch sizes, threads and failures meet", async () => {
    const happening = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant("add" as const),
          count: fc.integer({ min: 1, max: 9 }),
          blocks: fc.integer({ min: 1, max: 6 }),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant("take" as const),
          size: fc.integer({ min: 1, max: 8 }),
          answers: fc.integer({ min: 1, max: 20 }),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant("end" as const), which: fc.nat(5), fails: fc.boolean() }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 80 }), async (happenings) => {
        const { queue, add, take } = createHarness();
        const underWay: Batch[] = [];
        const requests: Promise<[readonly number[], Float64Array | null]>[] = [];
        let name = 0;
        let largest = 0;
        for (const next of happenings) {
          if (next.kind === "add") {
            const names = Array.from({ length: next.count }, () => ++name);
            requests.push(
              add(names, anybody, next.blocks).then(
                (values) => [names.flatMap((each) => rolled(each, next.blocks)), values],
                () => [[], null],
              ),
            );
          } else if (next.kind === "take") {
            const batch = take(next.size, next.answers);
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
        const answered = (await Promise.all(requests)).flatMap(([expected, values]) =>
          values === null ? [] : [{ expected, values: [...values] }],
        );
        for (const { expected, values } of answered) expect(values).toEqual(expected);
        expect(largest).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
