import fc from "fast-check";
import { expect, test } from "vitest";
import { FltsError } from "../../src/contracts/errors.ts";
import { sha256 } from "../../src/contracts/identity.ts";
import type { OutgoingMessage, StoredMessage } from "../../src/ports/message-log.ts";
import { DEAD_LETTER_MAX_BYTES, deadLetter, deadLetterOf, revive } from "../../src/stage/dead-letter.ts";

const message: StoredMessage = {
  topic: "training-data",
  partition: 2,
  offset: 2n ** 60n,
  key: "train-claim/ElBorn",
  value: Buffer.from('{"bucket":"b"}'),
  headers: { traceparent: "00-1" },
  publishedAt: 0,
};
const givenUp = {
  stage: "train",
  error: new FltsError("CLAIM_CORRUPT", "why"),
  attempts: 2,
  now: 1_767_225_600_500,
};

const letterOf = (of: StoredMessage, error: unknown = givenUp.error) =>
  parsed(deadLetterOf({ ...givenUp, message: of, error }));

test("a dead letter says everything about the message and why it was given up", () => {
  const letter = deadLetterOf({ ...givenUp, message });
  expect(letter).toMatchObject({ topic: "DLQ-training-data", key: "train-claim/ElBorn" });
  expect(readJson(letter)).toEqual({
    operation: "train",
    status: "Failure",
    error: "why",
    payload: { bucket: "b" },
    timestamp: 1_767_225_600.5,
    code: "CLAIM_CORRUPT",
    attempts: 2,
    topic: "training-data",
    partition: 2,
    offset: "1152921504606846976",
    key: "train-claim/ElBorn",
    value_base64: Buffer.from('{"bucket":"b"}').toString("base64"),
    headers: { traceparent: "00-1" },
  });
});

test("replaying a dead letter is publishing its message again", () => {
  const headerName = fc.string().filter((name) => name !== "__proto__");
  const anyMessage = fc.record({
    key: fc.option(fc.string()),
    value: fc.uint8Array({ maxLength: 20 }),
    headers: fc.dictionary(headerName, fc.string()),
  });
  fc.assert(
    fc.property(anyMessage, ({ key, value, headers }) => {
      const revived = revive(letterOf({ ...message, key, value, headers }));
      expect({ ...revived, value: text(revived?.value ?? new Uint8Array()) }).toEqual({
        topic: message.topic,
        key,
        headers: { ...headers },
        value: text(value),
      });
    }),
  );
});

test.each([
  ["JSON as it is", Buffer.from("[1]"), [1]],
  ["text as text", Buffer.from("{no json"), "{no json"],
  ["bytes not at all", Buffer.from([0xff, 0x00]), null],
  ["nothing as empty text", Buffer.alloc(0), ""],
  ["a huge message not at all", Buffer.alloc(64 * 1024 + 1, "1"), null],
])("the payload shows %s", (_name, value, payload) => {
  expect(letterOf({ ...message, value }).payload).toEqual(payload);
});

test("an error that nobody has named is unclassified, whatever was thrown", () => {
  expect(letterOf(message, new TypeError("bug"))).toMatchObject({ code: "UNCLASSIFIED", error: "bug" });
  expect(letterOf(message, "text")).toMatchObject({ code: "UNCLASSIFIED", error: "text" });
});

test.each([
  ["ten mebibytes of anything", { value: Buffer.alloc(10 * 1024 ** 2, 0xff) }],
  ["the longest readable text, every character of it escaped", { value: Buffer.alloc(64 * 1024, 1) }],
])("the dead letter of %s is complete and fits its topic", (_name, part) => {
  const letter = deadLetterOf({ ...givenUp, message: { ...message, ...part } });
  expect(sizeOf(letter)).toBeLessThan(DEAD_LETTER_MAX_BYTES);
  expect(text(revive(parsed(letter))?.value ?? Buffer.from("none"))).toBe(text(part.value));
});

test.each([
  ["a value of twenty mebibytes", { value: Buffer.alloc(20 * 1024 ** 2, 1) }],
  ["headers that JSON makes six times as long", { headers: { junk: "\u0001".repeat(4 * 1024 ** 2) } }],
  ["a key of twenty mebibytes", { key: "k".repeat(20 * 1024 ** 2) }],
])("of a message with %s the dead letter says where it lies", (_name, part) => {
  const whole = { ...message, ...part };
  const letter = deadLetterOf({ ...givenUp, message: whole });
  expect(sizeOf(letter)).toBeLessThan(4_096);
  expect(parsed(letter)).toMatchObject({
    code: "CLAIM_CORRUPT",
    error: "why",
    topic: "training-data",
    partition: 2,
    offset: "1152921504606846976",
    value_base64: null,
    omitted: { bytes: whole.value.byteLength, sha256: sha256(whole.value) },
  });
  expect(revive(parsed(letter))).toBeNull();
});

test("an endless complaint is cut short, and says so", () => {
  const { error } = letterOf(message, new Error("x".repeat(10_000_000)));
  expect(error).toHaveLength(4_096 + "… (9995904 more characters)".length);
  expect(error.endsWith("x… (9995904 more characters)")).toBe(true);
});

const sizeOf = ({ key, value }: OutgoingMessage): number => value.byteLength + Buffer.byteLength(key ?? "");

const parsed = (letter: OutgoingMessage) => deadLetter.parse(readJson(letter));

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

function readJson({ value }: OutgoingMessage): unknown {
  return JSON.parse(Buffer.from(value).toString());
}
