import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type GateInput, gateModes, judgeCandidates, LEAST_ROWS } from "../../src/evaluation/gate.ts";
import { normalFrom, seededUniform } from "../../src/random.ts";

const ROWS = 400;
/** Losses around a mean that differ little from row to row. */
const losses = (mean: number, seed: number, rows = ROWS) => {
  const normal = normalFrom(seededUniform(seed));
  return Float64Array.from({ length: rows }, () => mean + 0.1 * normal());
};
const contender = (id: string, mean: number, rows = ROWS) => ({
  id,
  score: mean,
  losses: losses(mean, 1, rows),
});
const base: GateInput = {
  mode: "strict",
  candidates: [contender("LINEAR", 1)],
  persistence: losses(2, 2),
  champion: losses(1.5, 3),
  seed: 1,
};
/** The same question on fewer rows. */
const on = (rows: number) => ({
  candidates: [contender("LINEAR", 1, rows)],
  persistence: losses(2, 2, rows),
  champion: losses(1.5, 3, rows),
});
const verdictOf = (change: Partial<GateInput>) => judgeCandidates({ ...base, ...change }).verdict;

describe("with a champion, a candidate", () => {
  test("better beyond chance is promoted, with its numbers", () => {
    const decision = judgeCandidates(base);
    expect(decision.verdict).toBe("promoted");
    expect(decision.candidate).toBe("LINEAR");
    expect(decision.versusChampion?.difference).toBeCloseTo(-0.5, 1);
    expect(decision.versusPersistence.difference).toBeCloseTo(-1, 1);
    expect(decision.versusChampion?.high).toBeLessThan(0);
    expect(decision.reason).toMatch(
      /^LINEAR: better than the champion \(squared error -33\.\d %, 90 % interval -34\.\d % … -32\.\d %\)$/,
    );
  });

  test("no different beyond chance is held", () => {
    expect(verdictOf({ champion: losses(1, 3) })).toBe("held");
    expect(verdictOf({ champion: losses(1, 1) })).toBe("held");
  });

  test("worse than the champion beyond chance is rejected", () => {
    const decision = judgeCandidates({ ...base, champion: losses(0.5, 3) });
    expect(decision).toMatchObject({ verdict: "rejected" });
    expect(decision.reason).toContain("worse than the champion");
  });

  test("worse than persistence is rejected, however bad the champion", () => {
    const decision = judgeCandidates({ ...base, persistence: losses(0.5, 2), champion: losses(9, 3) });
    expect(decision.verdict).toBe("rejected");
    expect(decision.reason).toContain("worse than persistence");
  });

  test("is held on too few rows, and judged from the thirtieth on", () => {
    expect(verdictOf(on(LEAST_ROWS - 1))).toBe("held");
    expect(judgeCandidates({ ...base, ...on(5) }).reason).toContain(
      "too few rows to replace the champion: 5, 30 are needed",
    );
    expect(verdictOf(on(LEAST_ROWS))).toBe("promoted");
  });
});

describe("without a champion, the best candidate", () => {
  test("is a cold start when better than persistence, and when that is open", () => {
    expect(verdictOf({ champion: null })).toBe("cold_start");
    const open = judgeCandidates({ ...base, champion: null, persistence: losses(1, 2) });
    expect(open.verdict).toBe("cold_start");
    expect(open.versusChampion).toBeNull();
    expect(open.reason).toContain("not worse than persistence beyond chance");
  });

  test("is rejected when worse than persistence beyond chance", () => {
    expect(verdictOf({ champion: null, persistence: losses(0.5, 2) })).toBe("rejected");
  });

  test("is a cold start on too few rows, which is said", () => {
    const decision = judgeCandidates({
      ...base,
      champion: null,
      candidates: [contender("LINEAR", 1, 5)],
      persistence: losses(0.5, 2, 5),
    });
    expect(decision.verdict).toBe("cold_start");
    expect(decision.reason).toContain("on only 5 rows");
  });
});

describe("of several candidates", () => {
  const candidates = [contender("GRU", 1.2), contender("LSTM", 1.1), contender("PROPHET", 3)];

  test("the one of lowest score is decided on", () => {
    expect(judgeCandidates({ ...base, candidates }).candidate).toBe("LSTM");
  });

  test("the next is tried when the best is rejected", () => {
    const misranked = [{ ...contender("PROPHET", 3), score: 0 }, contender("LSTM", 1.1)];
    expect(judgeCandidates({ ...base, candidates: misranked })).toMatchObject({
      candidate: "LSTM",
      verdict: "promoted",
    });
  });

  test("when all are rejected, the decision is about the best", () => {
    const bad = [contender("GRU", 5), contender("LSTM", 4)];
    expect(judgeCandidates({ ...base, candidates: bad })).toMatchObject({
      candidate: "LSTM",
      verdict: "rejected",
    });
  });

  test("there must be one", () => {
    expect(() => judgeCandidates({ ...base, candidates: [] })).toThrow(
      expect.objectContaining({ code: "TABLE_INVALID", message: "the gate needs at least one candidate" }),
    );
  });
});

describe("loosened, the gate says so in capitals:", () => {
  test("baseline replaces a better champion, but not by what is worse than persistence", () => {
    const decision = judgeCandidates({ ...base, mode: "baseline", champion: losses(0.1, 3) });
    expect(decision.verdict).toBe("promoted");
    expect(decision.reason).toContain("THE GATE ASKS FOR THE BASELINE ONLY");
    expect(verdictOf({ mode: "baseline", persistence: losses(0.5, 2) })).toBe("rejected");
    expect(verdictOf({ mode: "baseline", champion: null })).toBe("cold_start");
  });

  test("off lets everything through", () => {
    const decision = judgeCandidates({
      ...base,
      mode: "off",
      persistence: losses(0.1, 2),
      champion: losses(0.1, 3),
    });
    expect(decision.verdict).toBe("promoted");
    expect(decision.reason).toContain("THE GATE IS OFF");
    expect(verdictOf({ mode: "off", champion: null, persistence: losses(0.1, 2) })).toBe("cold_start");
  });
});

test("a champion never loses to itself, in any mode that asks", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 500 }), (seed, rows) => {
      const own = losses(1, seed, rows);
      const input = {
        ...base,
        candidates: [{ id: "A", score: 1, losses: own }],
        persistence: own,
        champion: own,
      };
      expect(judgeCandidates(input).verdict).toBe("held");
    }),
    { numRuns: 20 },
  );
});

test("the order of candidates and the mode's neighbours do not matter to the same question", () => {
  const candidates = [contender("A", 1), contender("B", 1.1)];
  for (const mode of gateModes) {
    expect(judgeCandidates({ ...base, mode, candidates })).toEqual(
      judgeCandidates({ ...base, mode, candidates: candidates.toReversed() }),
    );
  }
});

test("losses of other rows are refused", () => {
  expect(() => judgeCandidates({ ...base, persistence: losses(2, 2, 10) })).toThrow(
    expect.objectContaining({ code: "TABLE_INVALID" }),
  );
});

test("the sentence says how the candidate stands, and the draws are those of the seed", () => {
  const decision = judgeCandidates({ ...base, champion: null });
  expect(decision.reason).toMatch(/^LINEAR: the first model of its station, better than persistence \(.*\)$/);
  expect(judgeCandidates({ ...base, champion: losses(1, 3) }).reason).toContain(
    "neither better nor worse than the champion beyond chance",
  );
  const reseeded = judgeCandidates({ ...base, seed: 2 });
  expect(reseeded.versusPersistence.low).not.toBe(judgeCandidates(base).versusPersistence.low);
  expect(reseeded.versusChampion?.low).not.toBe(judgeCandidates(base).versusChampion?.low);
});

test("where persistence makes no error the sentence has no percentages", () => {
  const none = new Float64Array(ROWS);
  const decision = judgeCandidates({
    ...base,
    champion: null,
    candidates: [{ id: "LINEAR", score: 0, losses: none }],
    persistence: none,
  });
  expect(decision.reason).toMatch(/beyond chance \(whose squared error is 0\)$/);
});
