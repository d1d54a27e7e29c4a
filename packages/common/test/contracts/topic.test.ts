import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { codeOf, kindOf } from "../../src/contracts/errors.ts";
import { emit, keyFor, parseEvent, type Topic } from "../../src/contracts/topic.ts";

const topic: Topic<{ v: number; name: string }> = {
  name: "greetings",
  schema: z.looseObject({ v: z.literal(1).default(1), name: z.string() }),
  keyOf: ({ name }) => name,
};

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

test("an event is parsed, its defaults are filled in and unknown fields pass", () => {
  expect(parseEvent(topic, bytes({ name: "a", added_later: { deep: [1] } }))).toEqual({
    v: 1,
    name: "a",
    added_later: { deep: [1] },
  });
});

test("an emission has the topic's name and the event's key", () => {
  expect(emit(topic, { v: 1, name: "a" })).toEqual({
    topic: "greetings",
    key: "a",
    value: { v: 1, name: "a" },
  });
});

test.each([2, 3, 1_000])("version %d is too new: held until this release is upgraded", (v) => {
  const code = codeOf(faultOf(bytes({ v, name: 7 })));
  expect(code).toBe("EVENT_TOO_NEW");
  expect(kindOf("EVENT_TOO_NEW")).toBe("retryable");
});

test("version 0 is too old: given up", () => {
  expect(codeOf(faultOf(bytes({ v: 0, name: "a" })))).toBe("EVENT_TOO_OLD");
  expect(kindOf("EVENT_TOO_OLD")).toBe("poison");
});

test.each([1_001, 1e300, -1, 1.5, "2", null, [2], {}, true])(
  "version %j is absurd: given up, not held for ever",
  (v) => {
    expect(codeOf(faultOf(bytes({ v, name: "a" })))).toBe("EVENT_INVALID");
  },
);

test.each([
  ["no JSON", Buffer.from("{")],
  ["nothing", Buffer.alloc(0)],
  ["text", bytes("name")],
  ["null", bytes(null)],
  ["a list", bytes([{ v: 1, name: "a" }])],
  ["not UTF-8", Buffer.from([0xff, 0xfe, 0x7b, 0x7d])],
  ["a wrong field", bytes({ v: 1, name: 7 })],
])("%s is an invalid event", (_name, value) => {
  expect(codeOf(faultOf(value))).toBe("EVENT_INVALID");
});

test("an event larger than a mebibyte is refused unread", () => {
  expect(codeOf(faultOf(bytes({ v: 1, name: "x".repeat(1024 ** 2) })))).toBe("MESSAGE_TOO_LARGE");
});

test("the refusal names the topic and every field at fault", () => {
  expect(() => parseEvent(topic, bytes({ v: 1 }))).toThrow(/greetings .*: name: .*string/);
});

test("no bytes make parsing fail without a code", () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from)), (value) => {
      const fault = faultOf(value);
      expect(fault === null || codeOf(fault).startsWith("EVENT_")).toBe(true);
    }),
  );
});

test("the default station has the reference's key, every other station its own", () => {
  expect(keyFor("promotion", "")).toBe("promotion");
  expect(keyFor("promotion", "default")).toBe("promotion");
  expect(keyFor("promotion", "ElBorn")).toBe("promotion/ElBorn");
});

/** What parsing throws; null when it does not. */
function faultOf(value: Uint8Array): unknown {
  try {
    parseEvent(topic, value);
    return null;
  } catch (error) {
    return error;
  }
}
