import { expect, test } from "vitest";
import { codeOf, FltsError, hasCode, kindOf } from "../../src/contracts/errors.ts";

test("an error has a code, the code's kind, and keeps its cause", () => {
  const cause = new Error("ECONNREFUSED");
  const error = new FltsError("STORE_UNAVAILABLE", "the store does not answer", cause);
  expect(error).toMatchObject({ name: "FltsError", code: "STORE_UNAVAILABLE", kind: "retryable", cause });
});

test("an error without a cause has no such member", () => {
  expect("cause" in new FltsError("RUN_MISSING", "gone")).toBe(false);
});

test("an outage is mended by time, garbage by its sender, a missing bucket by an operator", () => {
  expect(kindOf("LOG_UNAVAILABLE")).toBe("retryable");
  expect(kindOf("EVENT_INVALID")).toBe("poison");
  expect(kindOf("BUCKET_MISSING")).toBe("fatal");
});

test("what is not ours is unclassified", () => {
  expect(codeOf(new TypeError("x"))).toBe("UNCLASSIFIED");
  expect(codeOf({ code: "STORE_UNAVAILABLE" })).toBe("UNCLASSIFIED");
  expect(codeOf(undefined)).toBe("UNCLASSIFIED");
});

test("hasCode tells ours by code", () => {
  const error = new FltsError("OBJECT_CONFLICT", "taken");
  expect(hasCode(error, "OBJECT_MISSING", "OBJECT_CONFLICT")).toBe(true);
  expect(hasCode(error, "OBJECT_MISSING")).toBe(false);
  expect(hasCode(new Error("OBJECT_CONFLICT"), "OBJECT_CONFLICT")).toBe(false);
});
