import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { createTable, mapColumns, sliceRows, type Table } from "@flts/forecasting/table/table";
import { describe, expect, test } from "vitest";
import { type EvaluationTask, evaluateStation, meanNrmse } from "../../src/evaluation/station.ts";
import type { Family } from "../../src/family.ts";
import { familyOf } from "../../src/registry.ts";

const raw = synthesizeStation({ seed: 21, rows: 3_000, startMs: Date.UTC(2024, 0, 8) });
const [train, measured] = [sliceRows(raw, 0, 2_400), sliceRows(raw, 2_400)];
let milliseconds = 0;

const evaluateWith = (changes: Partial<EvaluationTask> = {}) =>
  evaluateStation({
    station: "North",
    train,
    test: measured,
    targets: ["down", "up"],
    families: [familyOf("LINEAR")],
    clock: { now: () => 0, monotonicMs: () => (milliseconds += 500), sleep: async () => {} },
    signal: new AbortController().signal,
    onProgress: () => {},
    ...changes,
  });

const flat = (table: Table, column: string, value: number) =>
  mapColumns(table, (values, name) => (name === column ? values.map(() => value) : values));

/** Seasonal-naive's nrmse when the test file begins `gapMs` after the train file's end. */
async function seasonalAfter(gapMs: number) {
  const later = createTable(
    measured.timesMs.map((time) => time + gapMs),
    measured.columns,
    measured.values,
  );
  const { baselines } = await evaluateWith({ test: later });
  return baselines.find(({ name }) => name === "seasonal-naive")?.nrmse;
}

/** LINEAR's nrmse on an uplink that never changes. */
async function nrmseAt(value: number) {
  const found = await evaluateWith({ train: flat(train, "up", value), test: flat(measured, "up", value) });
  expect(found.forecasts.forecast.every(Number.isFinite)).toBe(true);
  return found.families[0]?.perTarget["up"]?.nrmse;
}

/** A table in which time jumps after 200 rows. */
const jumping = (table: Table, jumpMs: number) =>
  createTable(
    table.timesMs.map((time, row) => (row < 200 ? time : time + jumpMs)),
    table.columns,
    table.values,
  );

describe("an evaluation", () => {
  test("measures families and baselines on the same rows, and says what the gate would do", async () => {
    const found = await evaluateWith();
    expect(found).toMatchObject({
      station: "North",
      rows: { train: 2_400, test: 600 },
      best: "LINEAR",
      verdict: "cold_start",
      failed: [],
    });
    expect(found.families.map(({ name, seconds }) => [name, seconds])).toEqual([["LINEAR", 0.5]]);
    expect(found.baselines.map(({ name }) => name)).toEqual([
      "persistence",
      "ewma",
      "seasonal-naive",
      "log-ar",
    ]);
    const [linear, persistence] = [found.families[0], found.baselines[0]];
    expect(linear?.nrmse).toBeLessThan(persistence?.nrmse ?? 0);
    expect(linear?.coverage).toBeGreaterThan(0.8);
    expect(Object.keys(linear?.perTarget ?? {})).toEqual(["down", "up"]);
    const versus = found.pairs.find(({ b }) => b === "persistence");
    expect(versus?.difference).toBeCloseTo((linear?.nrmse ?? 0) - (persistence?.nrmse ?? 0), 10);
    expect(found.pairs.map(({ a, b }) => [a, b])).toContainEqual(["LINEAR", "log-ar"]);
    expect(found.forecasts.timesMs[0]).toBe(measured.timesMs[10]);
    expect(found.forecasts.actual).toHaveLength(590 * 2);
    expect(found.forecasts.upper.every((upper, index) => upper >= (found.forecasts.lower[index] ?? 0))).toBe(
      true,
    );
  });

  test("chooses without the test file: other test rows change nothing but the figures", async () => {
    const first = await evaluateWith();
    const other = await evaluateWith({ test: mapColumns(measured, (values) => values.map((x) => x * 3)) });
    expect(other).toMatchObject({ best: first.best, verdict: first.verdict, reason: first.reason });
    expect(other.families[0]?.nrmse).not.toBe(first.families[0]?.nrmse);
    const model = (found: typeof first) => found.forecasts.forecast;
    const begun = await evaluateWith({
      test: mapColumns(measured, (values) => values.map((value, row) => (row < 300 ? value : value * 9))),
    });
    expect(model(begun).slice(0, 290 * 2)).toEqual(model(first).slice(0, 290 * 2));
  });

  test("lets baselines look back into the train file only where the test file goes on from it", async () => {
    expect(await seasonalAfter(0)).not.toBe(await seasonalAfter(86_400_000));
  });

  test("of a train file with nothing to learn ends with no best, and with figures all the same", async () => {
    const broken: Family = {
      ...familyOf("LINEAR"),
      load: async (files, description) => ({
        ...(await familyOf("LINEAR").load(files, description)),
        predict: async (_, times) => new Float64Array(times.length * 2).fill(1e12),
      }),
    };
    const found = await evaluateWith({ families: [broken] });
    expect(found).toMatchObject({ best: null, verdict: "rejected" });
    expect(found.forecasts.family).toBe("LINEAR");
    expect(meanNrmse([found]).map(({ name }) => name)).not.toContain("best");
  });

  test("trains what combines the others after them, whatever the order asked for", async () => {
    const families = ["ENSEMBLE", "LINEAR", "PROPHET"].map(familyOf);
    const found = await evaluateWith({ families, targets: ["down"] });
    expect(found.failed).toEqual([]);
    expect(found.families.map(({ name }) => name)).toContain("ENSEMBLE");
  });

  test("tells of families that could not be trained, and fails only when none could", async () => {
    const failing: Family = {
      ...familyOf("LSTM"),
      shapeOf: () => ({ window: 2_000, horizon: 1 }),
    };
    const found = await evaluateWith({ families: [failing, familyOf("LINEAR")] });
    expect(found.failed).toMatchObject([{ family: "LSTM", code: "TABLE_TOO_SHORT" }]);
    expect(found.best).toBe("LINEAR");
    await expect(evaluateWith({ families: [failing] })).rejects.toMatchObject({ code: "TABLE_TOO_SHORT" });
  });
});

describe("bad input:", () => {
  test("an unknown target is named, with the columns that exist", async () => {
    await expect(evaluateWith({ targets: ["sideways"] })).rejects.toThrow(/'sideways'.*down, up/);
  });

  test.each([
    ["one row", 1],
    ["fewer than four windows", 43],
  ])("a train file of %s is too short, and it is said how many rows are needed", async (_, rows) => {
    await expect(evaluateWith({ train: sliceRows(train, 0, rows) })).rejects.toMatchObject({
      code: "TABLE_TOO_SHORT",
    });
  });

  test("a sample of fifty rows is evaluated, and said to be judged on few rows", async () => {
    const found = await evaluateWith({ train: sliceRows(train, 0, 50) });
    expect(found.verdict).toBe("cold_start");
    expect(found.reason).toContain("on only 11 rows");
    expect(found.families[0]?.nrmse).toBeGreaterThan(0);
    const families = ["PROPHET", "LINEAR", "ENSEMBLE"].map(familyOf);
    const several = await evaluateWith({ train: sliceRows(train, 0, 50), families });
    expect(several.reason).toContain("on only 5 rows");
  });

  test("a test file without a window is too short", async () => {
    await expect(evaluateWith({ test: sliceRows(measured, 0, 10) })).rejects.toMatchObject({
      code: "TABLE_TOO_SHORT",
    });
  });

  test("a column without values is left out; a target without any is missing", async () => {
    const found = await evaluateWith({ train: flat(train, "mcs_up", Number.NaN) });
    expect(found.families[0]?.nrmse).toBeGreaterThan(0);
    await expect(evaluateWith({ train: flat(train, "up", Number.NaN) })).rejects.toMatchObject({
      code: "COLUMN_MISSING",
    });
  });

  test("constant and silent targets have numbers, or none at all, but never NaN", async () => {
    expect(await nrmseAt(0)).toBeNull();
    expect(await nrmseAt(7)).toBeCloseTo(0, 6);
  });

  test("missing cells, missing rows and an hour that comes twice or never do not stop it", async () => {
    const holed = mapColumns(measured, (values) =>
      values.map((value, row) => (row % 17 < 3 ? Number.NaN : value)),
    );
    const hour = 3_600_000;
    for (const given of [
      { test: holed },
      { train: jumping(train, hour) },
      { test: jumping(measured, hour) },
    ]) {
      const found = await evaluateWith(given);
      expect(found.forecasts.forecast.every(Number.isFinite)).toBe(true);
      expect(Number.isFinite(found.families[0]?.nrmse)).toBe(true);
    }
    const known = await evaluateWith({ test: holed });
    expect(known.forecasts.actual.every(Number.isFinite)).toBe(true);
  });
});

test("the mean over stations has those who were measured on all of them", async () => {
  const one = await evaluateWith();
  const two = { ...one, baselines: one.baselines.slice(0, 1).map((b) => ({ ...b, nrmse: 3 })) };
  const mean = new Map(meanNrmse([one, two]).map(({ name, nrmse }) => [name, nrmse]));
  expect([...mean.keys()]).toEqual(["best", "LINEAR", "persistence"]);
  expect(mean.get("persistence")).toBeCloseTo(((one.baselines[0]?.nrmse ?? 0) + 3) / 2, 12);
  expect(mean.get("best")).toBe(one.families[0]?.nrmse);
});
