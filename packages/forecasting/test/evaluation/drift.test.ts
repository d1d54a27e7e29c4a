import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { driftOf, referenceOf, stabilityIndex } from "../../src/evaluation/drift.ts";
import { synthesizeStation } from "../../src/synthetic/station.ts";
import { createTable, mapColumns, sliceRows, type Table } from "../../src/table/table.ts";

const STEP_MS = 120_000;

/** Rows two minutes apart from midnight on, with one column. */
function tableOf(values: readonly number[], startMs = 0): Table {
  const timesMs = Float64Array.from(values, (_, row) => startMs + row * STEP_MS);
  return createTable(timesMs, ["x"], [Float64Array.from(values)]);
}

const psiOf = (reference: Table, table: Table): number | null =>
  driftOf(referenceOf(reference, ["x"]), table)[0]?.psi ?? null;

describe("stabilityIndex", () => {
  it("is the sum of its terms", () => {
    // (0.25 − 0.1) ln(0.25/0.1) + (0.4 − 0.3) ln(0.4/0.3) + (0.35 − 0.6) ln(0.35/0.6)
    const index = stabilityIndex(Float64Array.of(10, 30, 60), Float64Array.of(50, 80, 70));
    expect(index).toBeCloseTo(0.1374436 + 0.0287682 + 0.1347491, 6);
  });

  it("is finite where a bin is empty", () => {
    const index = stabilityIndex(Float64Array.of(50, 50), Float64Array.of(100, 0));
    expect(index).toBeCloseTo(0.5 * Math.log(2) + (0.5 - 1e-4) * Math.log(0.5 / 1e-4), 9);
  });

  it("is 0 for equal shares, positive otherwise, and the same either way round", () => {
    const counts = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(counts, counts, fc.integer({ min: 2, max: 9 }), (one, other, factor) => {
        const [a, b] = [Float64Array.from(one), Float64Array.from(other)];
        expect(
          stabilityIndex(
            a,
            a.map((count) => count * factor),
          ),
        ).toBeCloseTo(0, 12);
        expect(stabilityIndex(a, b)).toBeGreaterThanOrEqual(0);
        expect(stabilityIndex(a, b)).toBeCloseTo(stabilityIndex(b, a), 12);
      }),
    );
  });
});

describe("driftOf", () => {
  const day = Array.from({ length: 720 }, (_, row) => row);

  it("finds none in the reference itself", () => {
    expect(psiOf(tableOf(day), tableOf(day))).toBe(0);
  });

  it("finds none in a part of the day that is as that part always was", () => {
    const evening = sliceRows(tableOf(day), 480, 630);
    expect(psiOf(tableOf(day), evening)).toBe(0);
  });

  it("finds a shift of the same hours, although the day as a whole has such values", () => {
    const morningAtEveningsLoad = tableOf(day.slice(480, 630));
    expect(psiOf(tableOf(day), morningAtEveningsLoad)).toBeGreaterThan(1);
  });

  it("weighs hours as the table does, not as the reference does", () => {
    const twoDays = tableOf([...day, ...day]);
    const dayAndMorning = tableOf([...day, ...day.slice(0, 240)]);
    expect(psiOf(twoDays, dayAndMorning)).toBeCloseTo(0, 12);
  });

  it("tells a doubled load of a station from another week of it", () => {
    const all = synthesizeStation({ seed: 3, rows: 720 * 14, startMs: Date.UTC(2018, 0, 1) });
    const references = referenceOf(sliceRows(all, 0, 720 * 7), ["down"]);
    const next = sliceRows(all, 720 * 7);
    const doubled = mapColumns(next, (values) => values.map((value) => 2 * value));
    const [still] = driftOf(references, next);
    const [moved] = driftOf(references, doubled);
    expect(still?.psi).toBeLessThan(0.1);
    expect(moved?.psi).toBeGreaterThan(0.25);
  });

  it.each([
    ["above", 5],
    ["below", -5],
  ])("notices values %s a reference that stood still", (_, change) => {
    const still = day.map(() => 7);
    const moved = day.map(() => 7 + change);
    expect(psiOf(tableOf(still), tableOf(still))).toBe(0);
    expect(psiOf(tableOf(still), tableOf(moved))).toBeGreaterThan(1);
  });

  it("notices when zeros become rarer", () => {
    const halfZeros = day.map((row) => (row % 2 === 0 ? 0 : row));
    const fewZeros = day.map((row) => (row % 10 === 0 ? 0 : row + 1));
    expect(psiOf(tableOf(halfZeros), tableOf(fewZeros))).toBeGreaterThan(0.25);
  });

  it("says nothing of fewer than a hundred values, missing cells aside", () => {
    const gaps = day.slice(0, 150).map((row) => (row % 2 === 0 ? row : Number.NaN));
    expect(psiOf(tableOf(day), tableOf(gaps))).toBeNull();
  });

  it("leaves out hours that the reference does not have", () => {
    const morning = tableOf(day.slice(0, 360));
    expect(psiOf(morning, tableOf(day))).toBe(0);
  });

  it("refuses a table without a column", () => {
    const other = createTable(Float64Array.of(0), ["y"], [Float64Array.of(1)]);
    expect(() => driftOf(referenceOf(tableOf(day), ["x"]), other)).toThrow(
      expect.objectContaining({ code: "COLUMN_MISSING" }),
    );
  });
});
