import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bandsOf,
  bandsOfAll,
  calibrateIntervals,
  type Intervals,
  intervalsSchema,
  lastStandings,
} from "../../src/evaluation/intervals.ts";
import { coverage } from "../../src/evaluation/metrics.ts";
import { rollForecasts } from "../../src/evaluation/rolling.ts";
import { normalFrom, seededUniform } from "../../src/random.ts";
import { createTable } from "../../src/table/table.ts";
import { repeatLast } from "../support/forecasters.ts";

/** A walk whose restlessness changes by a factor of ten from hour to hour. */
function restless(rows: number, seed: number) {
  const normal = normalFrom(seededUniform(seed));
  let level = 1000;
  const values = Float64Array.from({ length: rows }, (_, row) => {
    level = Math.abs(level + (Math.floor(row / 30) % 2 === 0 ? 1 : 10) * normal());
    return level;
  });
  return createTable(
    Float64Array.from(values, (_, row) => row * 120_000),
    ["a"],
    [values],
  );
}
const scaleAfter = (intervals: Intervals, ...recent: readonly number[]) =>
  lastStandings(intervals, [Float64Array.from(recent)])[0]?.scale;
const forecaster = repeatLast(["a"], ["a"], { window: 12 });

async function calibrated(horizon: number, level = 0.9) {
  const table = restless(6000, 11);
  const forecasts = await rollForecasts(forecaster, table, { rows: [0, 3000], horizon });
  return {
    table,
    intervals: calibrateIntervals(
      { next: await rollForecasts(forecaster, table, { rows: [0, 3000] }), ahead: forecasts },
      table.values,
      { level },
    ),
  };
}

describe("intervals of a walk", () => {
  test.each([0.5, 0.9])("hold the share %d of later values, at every step", async (level) => {
    const { table, intervals } = await calibrated(4, level);
    const later = await rollForecasts(forecaster, table, { rows: [3000, 6000], horizon: 4 });
    const { lower, upper } = bandsOfAll(intervals, later, table.values);
    for (let step = 0; step < 4; step++) {
      const pick = (values: Float64Array) => values.filter((_, index) => index % 4 === step);
      const share = coverage(pick(later.actual), pick(lower), pick(upper));
      expect(Math.abs(share - level)).toBeLessThan(0.03);
    }
  });

  test("are wide where it is restless and narrow where it is not", async () => {
    const { intervals } = await calibrated(1);
    expect(scaleAfter(intervals, 900, 920, 900, 920)).toBe(20);
    expect(scaleAfter(intervals, 900, 1100, 900, 1100)).toBe(200);
    const width = (scale: number) => {
      const { lower, upper } = bandsOf(intervals, [{ last: 500, scale }], Float64Array.of(500));
      return (upper[0] ?? 0) - (lower[0] ?? 0);
    };
    expect(width(20)).toBeCloseTo(10 * width(2), 6);
  });

  test("widen from step to step, and with the square root of the step beyond the calibrated ones", async () => {
    const { intervals } = await calibrated(4);
    const { lower, upper } = bandsOf(intervals, [{ last: 500, scale: 1 }], new Float64Array(16).fill(500));
    const widths = upper.map((value, step) => value - (lower[step] ?? 0));
    expect(widths[3]).toBeGreaterThan(1.5 * (widths[0] ?? 0));
    expect(widths[15]).toBeCloseTo(2 * (widths[3] ?? 0), 9);
  });

  test("are plain JSON that reads back", async () => {
    const { intervals } = await calibrated(2);
    expect(intervalsSchema.parse(JSON.parse(JSON.stringify(intervals)))).toEqual(intervals);
  });
});

const single = (actual: readonly number[], forecast: readonly number[], columns: Float64Array, level = 0.8) =>
  calibrateIntervals(
    {
      next: {
        targets: ["a"],
        horizon: 1,
        origins: Int32Array.from(actual, (_, row) => row + 1),
        actual: Float64Array.from(actual),
        forecast: Float64Array.from(forecast),
      },
    },
    [columns],
    { level },
  );

test("the bounds are the order statistics of split conformal inference", () => {
  const zigzag = Float64Array.from({ length: 40 }, (_, row) => 9.5 + (row % 2));
  const errors = [5, -3, 1, 2, -1, 4, -2, 3, 0];
  const { targets, calibratedOn } = single(
    errors.map((error) => 10 + error),
    errors.map(() => 10),
    zigzag,
  );
  expect(calibratedOn).toBe(9);
  expect(targets[0]).toMatchObject({ lower: [-3], upper: [5], minimum: 0 });
  const wider = single(
    errors.map((error) => 10 + error),
    errors.map(() => 10),
    zigzag,
    0.4,
  );
  expect(wider.targets[0]).toMatchObject({ lower: [-1], upper: [3] });
});

test("too few errors to know a tail give both sides the largest, stretched the further the fewer there are", () => {
  const zigzag = Float64Array.from({ length: 40 }, (_, row) => 9.5 + (row % 2));
  const bounds = (errors: readonly number[]) => {
    const { lower, upper } =
      single(
        errors.map((error) => 10 + error),
        errors.map(() => 10),
        zigzag,
        0.9,
      ).targets[0] ?? {};
    return [lower?.[0], upper?.[0]];
  };
  const errors = Array.from({ length: 19 }, (_, index) => (index % 2 === 0 ? index : -index / 2));
  expect(bounds(errors)).toEqual([-8.5, 18]);
  expect(bounds(errors.slice(0, 18))).toEqual([-16, 16]);
  expect(bounds([3, -1, 2, 0])[1]).toBeCloseTo(6, 12);
  expect(bounds([-3])[0]).toBeCloseTo(-15, 12);
  expect(bounds([0.1])).toEqual([-2, 2]);
});

test("a scale comes from the last ten rows, skips holes, and falls back where there is nothing to see", () => {
  const { targets } = single([100, 200, 300], [100, 200, 300], Float64Array.of(1, 3, 5, 7, 9));
  const intervals = { level: 0.9, window: 10, calibratedOn: 3, targets };
  expect(targets[0]).toMatchObject({ floor: 2, typical: 2 });
  const rising = Float64Array.from({ length: 30 }, (_, row) => row ** 2);
  expect(lastStandings(intervals, [rising])).toEqual([{ last: 29 ** 2, scale: (29 ** 2 - 20 ** 2) / 9 }]);
  expect(scaleAfter(intervals, 0, 10, Number.NaN, 50, 60)).toBe(10);
  expect(scaleAfter(intervals, 7)).toBe(2);
  expect(scaleAfter(intervals, 7, 7, 7)).toBe(2);
  expect(lastStandings(intervals, [Float64Array.of(3, Number.NaN)])).toEqual([{ last: 3, scale: 2 }]);
  expect(lastStandings(intervals, [Float64Array.of(Number.NaN)])).toEqual([{ last: Number.NaN, scale: 2 }]);
});

test("the lower band of traffic stops at nothing, that of a signed target does not", () => {
  const base = { level: 0.9, window: 10, reach: 0.5, calibratedOn: 9 };
  const target = { target: "a", floor: 1, typical: 1, minimum: 0, lower: [-5], upper: [5] };
  expect([
    ...bandsOf({ ...base, targets: [target] }, [{ last: 2, scale: 1 }], Float64Array.of(2)).lower,
  ]).toEqual([0]);
  expect([
    ...bandsOf(
      { ...base, targets: [{ ...target, minimum: null }] },
      [{ last: 2, scale: 1 }],
      Float64Array.of(2),
    ).lower,
  ]).toEqual([-3]);
  const signed = single([-1, 2], [0, 0], Float64Array.of(0, 1, 2, 3));
  expect(signed.targets[0]?.minimum).toBeNull();
});

test("lower ≤ upper, all finite, with a plausible forecast between them, whatever was calibrated on", () => {
  const number = fc.double({ min: -1e9, max: 1e9, noNaN: true });
  const values = fc.array(number, { minLength: 2, maxLength: 30 });
  fc.assert(
    fc.property(values, values, number, (actual, series, forecast) => {
      const intervals = single(
        actual,
        actual.map(() => 0),
        Float64Array.from(series),
      );
      const standings = lastStandings(intervals, [Float64Array.from(series)]);
      const [standing] = standings;
      const { lower, upper } = bandsOf(intervals, standings, new Float64Array(3).fill(forecast));
      const near = Math.abs(forecast - (standing?.last ?? 0)) < 3.9 * (standing?.scale ?? 0);
      for (const [step, low] of lower.entries()) {
        const high = upper[step] ?? Number.NaN;
        expect(Number.isFinite(low) && Number.isFinite(high)).toBe(true);
        expect(low).toBeLessThanOrEqual(high);
        expect(!near || (low <= forecast && forecast <= high)).toBe(true);
      }
    }),
  );
});

test("a forecast that has lost the level moves its band by half a recent change and no more, whichever way it errs", () => {
  const zigzag = Float64Array.from({ length: 60 }, (_, row) => 100 + (row % 2));
  const actual = zigzag.subarray(1, 41);
  const lost = calibrateIntervals(
    {
      next: {
        targets: ["a"],
        horizon: 1,
        origins: Int32Array.from(actual.keys()),
        actual,
        forecast: actual.map(() => 900),
      },
    },
    [zigzag],
  );
  const bandAt = (forecast: number) => {
    const { lower, upper } = bandsOf(
      lost,
      lastStandings(lost, [zigzag.subarray(20, 30)]),
      Float64Array.of(forecast),
    );
    return [lower[0] ?? 0, upper[0] ?? 0] as const;
  };
  const [high, low] = [bandAt(900), bandAt(-900)];
  expect(high[0] - low[0]).toBeCloseTo(lastStandings(lost, [zigzag.subarray(20, 30)])[0]?.scale ?? 0, 9);
  expect(high[1]).toBeLessThan(110);
  expect(low[0]).toBeGreaterThan(90);
  expect(bandAt(103)[1]).toBeGreaterThanOrEqual(103);
});

test("a model that errs by more than the target moves has its band around the last value, wherever it forecasts", () => {
  const zigzag = Float64Array.from({ length: 400 }, (_, row) => 100 + (row % 3));
  const actual = zigzag.subarray(1, 301);
  const origins = Int32Array.from(actual.keys());
  const next = {
    targets: ["a"],
    horizon: 1,
    origins,
    actual,
    forecast: actual.map((_, row) => 900 * ((row % 7) % 2)),
  };
  const lost = calibrateIntervals({ next }, [zigzag]);
  expect(lost.targets[0]?.centre).toEqual({ weight: 0, reach: 0 });
  const standings = lastStandings(lost, [zigzag.subarray(300, 330)]);
  expect(bandsOf(lost, standings, Float64Array.of(900))).toEqual(
    bandsOf(lost, standings, Float64Array.of(-900)),
  );
});

test("models calibrated when all targets had one reach keep the bands they had", () => {
  const target = { target: "a", floor: 1, typical: 1, minimum: null, lower: [-5], upper: [5] };
  const before = { level: 0.9, window: 10, reach: 0.5, calibratedOn: 9, targets: [target] };
  const bandAt = (forecast: number) => {
    const { lower, upper } = bandsOf(
      intervalsSchema.parse(before),
      [{ last: 0, scale: 2 }],
      Float64Array.of(forecast),
    );
    return [lower[0], upper[0]];
  };
  expect(bandAt(70)).toEqual([-9, 11]);
  expect(bandAt(0.5)).toEqual([-9.5, 10.5]);
});

test("models calibrated before bands had a reach keep the bands they had", () => {
  const before = {
    level: 0.9,
    window: 10,
    calibratedOn: 9,
    targets: [{ target: "a", floor: 1, typical: 1, minimum: null, lower: [-5], upper: [5] }],
  };
  const { lower, upper } = bandsOf(
    intervalsSchema.parse(before),
    [{ last: 0, scale: 2 }],
    Float64Array.of(70),
  );
  expect([lower[0], upper[0]]).toEqual([60, 80]);
});

test("a constant series has intervals of no width, and no forecasts are none to calibrate on", () => {
  const { targets } = single([0, 0, 0], [0, 0, 0], new Float64Array(10));
  const { lower, upper } = bandsOf(
    { level: 0.9, window: 10, calibratedOn: 3, targets },
    [{ last: 0, scale: 0 }],
    Float64Array.of(0),
  );
  expect([lower[0], upper[0]]).toEqual([0, 0]);
  expect(() => single([], [], new Float64Array())).toThrow(
    expect.objectContaining({ code: "TABLE_TOO_SHORT" }),
  );
});
