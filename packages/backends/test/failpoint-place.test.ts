import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { failpointOperations, meetsPattern, parseFailpoint } from "../src/failpoint-place.ts";

describe("a failpoint's place", () => {
  test.each([
    ["after:put:mlflow/**", { moment: "after", operation: "put", pattern: "mlflow/**", nth: 1 }],
    [
      "before:publish:model-training",
      { moment: "before", operation: "publish", pattern: "model-training", nth: 1 },
    ],
    [
      "before:swap:model-promotion/**#3",
      { moment: "before", operation: "swap", pattern: "model-promotion/**", nth: 3 },
    ],
    ["after:commit", { moment: "after", operation: "commit", pattern: "**", nth: 1 }],
    [
      "after:put-artifact:LSTM/*#12",
      { moment: "after", operation: "put-artifact", pattern: "LSTM/*", nth: 12 },
    ],
  ])("is read from %s", (text, place) => {
    expect(parseFailpoint(text)).toStrictEqual(place);
  });

  test.each([
    "",
    "put",
    "during:put",
    "after:dance",
    "after:put:x#0",
    "after:put:x#y",
    "after:put:",
    "after::x",
  ])("is refused when it is %j", (text) => {
    expect(() => parseFailpoint(text)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });

  test("is read back as it was written", () => {
    const place = fc.record({
      moment: fc.constantFrom("before", "after"),
      operation: fc.constantFrom(...Object.keys(failpointOperations)),
      pattern: fc.stringMatching(/^[a-z*/.-]+$/),
      nth: fc.integer({ min: 1, max: 999 }),
    });
    fc.assert(
      fc.property(place, (given) => {
        const { moment, operation, pattern, nth } = given;
        expect(parseFailpoint(`${moment}:${operation}:${pattern}#${nth}`)).toEqual(given);
      }),
    );
  });
});

describe("a pattern", () => {
  test.each([
    ["mlflow/0/run.json", "mlflow/**", true],
    ["mlflow/0/run.json", "mlflow/*", false],
    ["mlflow/0/run.json", "mlflow/*/run.json", true],
    ["mlflow/0/run.json", "**/run.json", true],
    ["mlflow/0/runxjson", "mlflow/0/run.json", false],
    ["model-training", "model-training", true],
    ["DLQ-model-training", "model-training", false],
    ["a(b)+c", "a(b)+c", true],
    ["", "**", true],
  ])("meets %j with %j: %s", (subject, pattern, meets) => {
    expect(meetsPattern(subject, pattern)).toBe(meets);
  });
});
