import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { rowCount } from "@flts/forecasting/table/table";
import { afterAll, expect, test } from "vitest";
import { foldsIn } from "../tools/bench/intervals/folds.ts";
import { type Verdict, winnerOf } from "../tools/bench/intervals/judge.ts";

const folder = mkdtempSync(join(tmpdir(), "flts-bench-intervals-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("folds are the first parts of each train file and the rows after them; a test file is not opened", () => {
  writeFileSync(join(folder, "a.csv"), toCsv(synthesizeStation({ seed: 1, rows: 1_000, startMs: 0 })));
  writeFileSync(join(folder, "a_test.csv"), "no table at all");
  const folds = foldsIn(folder);
  expect(folds.map(({ station, train, judging }) => [station, rowCount(train), rowCount(judging)])).toEqual([
    ["a", 500, 200],
    ["a", 575, 200],
    ["a", 650, 200],
    ["a", 725, 200],
    ["a", 800, 200],
  ]);
  for (const { train, judging } of folds)
    expect((judging.timesMs[0] ?? 0) - (train.timesMs.at(-1) ?? 0)).toBe(120_000);
});

const of = (misses: number, score: number, changes: Partial<Verdict> = {}) => ({
  of: 100,
  verdict: {
    misses,
    score,
    coverage: 0.9,
    lastCoverage: 0.88,
    lastScore: 9,
    middle: 0.8,
    families: {},
    ...changes,
  },
});

test("the winner has the least score of those with about the fewest misses", () => {
  const [few, alike, many] = [of(2, 2.5), of(4, 2.3), of(5, 2.1)];
  expect(winnerOf([few, alike, many])).toBe(alike);
});

test("a candidate that fails thirty steps ahead, or around the forecast, is none", () => {
  const good = of(9, 3);
  expect(winnerOf([of(0, 1, { lastCoverage: 0.86 }), of(0, 1, { middle: 0.5 }), good])).toBe(good);
  expect(winnerOf([of(0, 1, { middle: 0.4 })])).toBeUndefined();
});
