import fc from "fast-check";
import { expect, test } from "vitest";
import { FltsError } from "../../src/contracts/errors.ts";
import { backOff, judge, defaultRetryPolicy as policy } from "../../src/stage/verdict.ts";

const first = { attempt: 1, recurrences: 1, recurringMs: 0, jitter: 0.5 };

test.each(["STORE_UNAVAILABLE", "LOG_UNAVAILABLE", "TRACKER_UNAVAILABLE", "EVENT_TOO_NEW"] as const)(
  "%s is retried, however long it lasts",
  (code) => {
    for (const facts of [first, { ...first, attempt: 1_000_000, recurrences: 1_000_000, recurringMs: 1e12 }])
      expect(judge(new FltsError(code, "x"), facts, policy).kind).toBe("retry");
  },
);

test.each(["EVENT_INVALID", "EVENT_TOO_OLD", "CLAIM_CORRUPT", "CLAIM_FORBIDDEN", "TABLE_INVALID"] as const)(
  "%s is dead-lettered at once",
  (code) => {
    expect(judge(new FltsError(code, "x"), first, policy)).toEqual({ kind: "dead-letter", code });
  },
);

test.each(["BUCKET_MISSING", "STORE_FORBIDDEN", "TOPIC_MISSING", "LOG_CORRUPT"] as const)(
  "%s ends the process and leaves the message",
  (code) => {
    expect(judge(new FltsError(code, "x"), first, policy)).toEqual({ kind: "crash", code });
  },
);

test("an error nobody has named is granted three attempts", () => {
  const kindOf = (recurrences: number) => judge(new TypeError("bug"), { ...first, recurrences }, policy).kind;
  expect([1, 2, 3, 4].map(kindOf)).toEqual(["retry", "retry", "dead-letter", "dead-letter"]);
  expect(judge("text", { ...first, recurrences: 3 }, policy)).toEqual({
    kind: "dead-letter",
    code: "UNCLASSIFIED",
  });
});

test("a training whose process dies is granted three attempts", () => {
  const crashed = new FltsError("TRAINING_CRASHED", "killed");
  const kindOf = (recurrences: number) => judge(crashed, { ...first, recurrences }, policy).kind;
  expect([1, 2, 3].map(kindOf)).toEqual(["retry", "retry", "dead-letter"]);
});

test("a claimed object may be missing for the grace, and not longer", () => {
  const missing = new FltsError("CLAIM_MISSING", "not there");
  const after = (recurringMs: number) => judge(missing, { ...first, recurringMs }, policy);
  expect(after(policy.claimMissingGraceMs - 1).kind).toBe("retry");
  expect(after(policy.claimMissingGraceMs)).toEqual({ kind: "dead-letter", code: "CLAIM_MISSING" });
});

test("a station may be without its model for the grace, and not longer", () => {
  const missing = new FltsError("MODEL_MISSING", "not promoted");
  const after = (recurringMs: number) => judge(missing, { ...first, recurringMs }, policy);
  expect(after(policy.modelMissingGraceMs - 1).kind).toBe("retry");
  expect(after(policy.modelMissingGraceMs)).toEqual({ kind: "dead-letter", code: "MODEL_MISSING" });
});

test("what other faults cost in attempts is not counted against a grant", () => {
  const late = { ...first, attempt: 100 };
  for (const error of [
    new TypeError("bug"),
    new FltsError("TRAINING_CRASHED", "killed"),
    new FltsError("CLAIM_MISSING", ""),
  ])
    expect(judge(error, late, policy).kind).toBe("retry");
});

test("the first delays are pinned", () => {
  const delays = [1, 2, 3, 4].map((attempt) => backOff({ attempt, jitter: 0 }, policy));
  expect(delays).toEqual([50, 100, 200, 400]);
  expect(backOff({ attempt: 1, jitter: 0.999 }, policy)).toBeCloseTo(99.95);
});

test("a delay lies between half of the doubled delay and all of it, and never beyond the longest", () => {
  const facts = fc.record({
    attempt: fc.integer({ min: 1, max: 10_000 }),
    jitter: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  });
  fc.assert(
    fc.property(facts, ({ attempt, jitter }) => {
      const full = Math.min(policy.initialMs * 2 ** (attempt - 1), policy.maxMs);
      const delay = backOff({ attempt, jitter }, policy);
      expect(delay).toBeGreaterThanOrEqual(full / 2);
      expect(delay).toBeLessThanOrEqual(full);
    }),
  );
});
