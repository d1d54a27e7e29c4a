import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assignPartitions } from "../src/assignment.ts";

const member = (id: string, ...topics: readonly string[]) => ({ id, topics });
const slot = (topic: string, partition: number, owner: string | null = null) => ({
  name: `${topic}/${partition}`,
  topic,
  owner,
});

const topics = ["red", "green", "blue"];
const slots = fc.array(
  fc.record({ topic: fc.constantFrom(...topics), owner: fc.constantFrom("a", "b", "c", "x", null) }),
  {
    maxLength: 12,
  },
);
const members = fc.uniqueArray(
  fc.record({ id: fc.constantFrom("a", "b", "c", "d"), topics: fc.subarray(topics, { minLength: 1 }) }),
  { selector: ({ id }) => id },
);
const numbered = (given: readonly { topic: string; owner: string | null }[]) =>
  given.map(({ topic, owner }, index) => slot(topic, index, owner));

describe("who should own which partition", () => {
  test("a newcomer gets its share, and only what it gets moves", () => {
    const owned = [slot("red", 0, "a"), slot("red", 1, "a"), slot("red", 2, "a")];
    const wanted = assignPartitions(owned, [member("b", "red"), member("a", "red")]);
    expect(Object.fromEntries(wanted)).toStrictEqual({ "red/0": "b", "red/1": "a", "red/2": "a" });
  });

  test("what a member leaves goes to the one with the least", () => {
    const owned = [slot("red", 0, "gone"), slot("red", 1, "a"), slot("red", 2, "b"), slot("red", 3, "b")];
    const wanted = assignPartitions(owned, [member("a", "red"), member("b", "red")]);
    expect(wanted.get("red/0")).toBe("a");
  });

  test("everything that somebody wants has an owner who wants it, and nothing else has", () => {
    fc.assert(
      fc.property(slots, members, (given, present) => {
        const wanted = assignPartitions(numbered(given), present);
        for (const { name, topic } of numbered(given)) {
          const owner = present.find(({ id }) => id === wanted.get(name));
          const wantedBySomebody = present.some((one) => one.topics.includes(topic));
          expect(owner?.topics.includes(topic) ?? false).toBe(wantedBySomebody);
        }
      }),
    );
  });

  test("no member could hand a partition to one that has two fewer", () => {
    fc.assert(
      fc.property(slots, members, (given, present) => {
        const wanted = assignPartitions(numbered(given), present);
        const load = (id: string): number => [...wanted.values()].filter((owner) => owner === id).length;
        for (const { name, topic } of numbered(given)) {
          const owner = wanted.get(name);
          if (owner === undefined) continue;
          for (const other of present.filter((one) => one.topics.includes(topic))) {
            expect(load(owner) - load(other.id)).toBeLessThan(2);
          }
        }
      }),
    );
  });

  test("is settled once it is so, in whatever order the records come", () => {
    fc.assert(
      fc.property(slots, members, (given, present) => {
        const first = assignPartitions(numbered(given), present);
        const settled = numbered(given).map((one) => ({ ...one, owner: first.get(one.name) ?? null }));
        const second = assignPartitions(settled.toReversed(), present.toReversed());
        expect(Object.fromEntries(second)).toStrictEqual(Object.fromEntries(first));
      }),
    );
  });
});
