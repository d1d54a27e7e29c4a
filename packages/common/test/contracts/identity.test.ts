import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, roundOf, sha256, stationOf, workKeyOf } from "../../src/contracts/identity.ts";

const round = {
  identifier: "PobleSec",
  configHash: "c".repeat(64),
  trainDigest: "1".repeat(64),
  testDigest: "2".repeat(64),
};
const work = { round: "3".repeat(64), family: "LSTM", settings: { epochs: 10, lr: 0.001 }, nonce: "" };

test("canonical JSON is a value's own JSON, whatever the order of its keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(withKeysReversed(value))).toBe(text);
    }),
  );
});

test("canonical JSON tells different values apart", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const same = JSON.stringify(withKeysSorted(a)) === JSON.stringify(withKeysSorted(b));
      expect(canonicalJson(a) === canonicalJson(b)).toBe(same);
    }),
  );
});

test("canonical JSON is what Python's json.dumps writes with sorted keys and no blanks", () => {
  const value = { b: [1, 2.5, -3e-7, null, true], a: { z: 'ü\n"', _: "" }, B: 1e21 };
  expect(canonicalJson(value)).toBe('{"B":1e+21,"a":{"_":"","z":"ü\\n\\""},"b":[1,2.5,-3e-7,null,true]}');
});

test("an undefined member is an absent member", () => {
  expect(canonicalJson({ a: 1, b: undefined })).toBe(canonicalJson({ a: 1 }));
});

test.each([
  ["NaN", { a: Number.NaN }],
  ["an infinity", [Number.POSITIVE_INFINITY]],
  ["undefined in a list", [undefined]],
  ["undefined alone", undefined],
  ["a function", { a: () => 1 }],
  ["a Date", { a: new Date(0) }],
  ["a Map", { a: new Map([["b", 1]]) }],
  ["a typed array", Float64Array.of(1)],
  ["a bigint", { a: 1n }],
])("canonical JSON refuses %s rather than giving it the name of something else", (_name, value) => {
  expect(() => canonicalJson(value)).toThrow(TypeError);
});

test("digests are SHA-256 in lower-case hexadecimal, of bytes and of text in UTF-8", () => {
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(sha256("abc")).toBe(abc);
  expect(sha256(Uint8Array.of(0x61, 0x62, 0x63))).toBe(abc);
  expect(sha256("ü")).toBe(sha256(Uint8Array.of(0xc3, 0xbc)));
});

test("the names of rounds and work are pinned: another name would train everything once more", () => {
  expect(roundOf(round)).toBe(
    sha256(`["round/1","PobleSec","${"c".repeat(64)}","${"1".repeat(64)}","${"2".repeat(64)}"]`),
  );
  expect(workKeyOf(work)).toBe(sha256(`["work/1","${"3".repeat(64)}","LSTM",{"epochs":10,"lr":0.001},""]`));
});

test.each(["identifier", "configHash", "trainDigest", "testDigest"] as const)(
  "a round is named by its %s",
  (part) => {
    expect(roundOf({ ...round, [part]: "other" })).not.toBe(roundOf(round));
  },
);

test("swapping the train and the test file makes another round", () => {
  const { trainDigest, testDigest } = round;
  expect(roundOf({ ...round, trainDigest: testDigest, testDigest: trainDigest })).not.toBe(roundOf(round));
});

test.each([
  ["round", "4".repeat(64)],
  ["family", "GRU"],
  ["settings", { epochs: 11, lr: 0.001 }],
  ["nonce", "again"],
] as const)("a work key is named by its %s", (part, value) => {
  expect(workKeyOf({ ...work, [part]: value })).not.toBe(workKeyOf(work));
});

test("a work key does not depend on the order of its settings", () => {
  expect(workKeyOf({ ...work, settings: { lr: 0.001, epochs: 10 } })).toBe(workKeyOf(work));
});

test("the reference's empty identifier is the default station", () => {
  expect([stationOf(""), stationOf("default"), stationOf("LesCorts")]).toEqual([
    "default",
    "default",
    "LesCorts",
  ]);
  expect(roundOf({ ...round, identifier: "" })).toBe(roundOf({ ...round, identifier: "default" }));
});

function withKeysReversed(value: unknown): unknown {
  return reordered(value, (keys) => keys.toReversed());
}

function withKeysSorted(value: unknown): unknown {
  return reordered(value, (keys) => keys.toSorted());
}

function reordered(value: unknown, order: (keys: string[]) => string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => reordered(item, order));
  if (typeof value !== "object" || value === null) return value;
  const members = new Map(Object.entries(value));
  return Object.fromEntries(
    order([...members.keys()]).map((key) => [key, reordered(members.get(key), order)]),
  );
}
