import { normalFrom, seededUniform } from "@flts/forecasting/random";
import { describe, expect, test } from "vitest";
import { type Curve, curveAt } from "../../src/prophet/curve.ts";
import { type CurveSpec, fitCurve } from "../../src/prophet/fit-curve.ts";
import { DAY_MS, type Terms, termCount, termWriter } from "../../src/prophet/terms.ts";
import { forecastByAugurs, type StanInput } from "./augurs.ts";

const START = Date.UTC(2024, 1, 20); // 29 February is among the days
const STEP_MS = 1_800_000;
const times = Float64Array.from({ length: 900 }, (_, row) => START + row * STEP_MS);
const future = Float64Array.from({ length: 700 }, (_, row) => START + (row + 500) * 2 * STEP_MS);
const normal = normalFrom(seededUniform(7));
const values = times.map((time) => 3 + Math.sin((2 * Math.PI * time) / DAY_MS) + 0.3 * normal());

const terms: Terms = {
  seasonalities: [
    { name: "weekly", period_days: 7, order: 3 },
    { name: "daily", period_days: 1, order: 4 },
  ],
  holidays: [
    { name: "Leap Day", days_ms: [Date.UTC(2024, 1, 29), Date.UTC(2028, 1, 29)] },
    { name: "Two Days", days_ms: [Date.UTC(2024, 2, 4), Date.UTC(2024, 2, 5), Date.UTC(2024, 2, 20)] },
  ],
};
const spec: CurveSpec = {
  growth: "linear",
  changepoints: 12,
  changepointRange: 0.8,
  terms,
  mode: "additive",
  seasonalityPriorScale: 10,
  holidaysPriorScale: 3,
  changepointPriorScale: 0.05,
};
const none: Terms = { seasonalities: [], holidays: [] };

/** Our position of each of augurs' columns, which it puts in another order in every fit. */
function columnsOf(input: StanInput, of: Terms): number[] {
  const write = termWriter(of);
  const row = new Float64Array(Math.max(1, termCount(of)));
  const rows = Array.from(times, (time) => {
    write(time, row);
    return Array.from(row);
  });
  return input.sigmas.map((_, theirs) =>
    Array.from(row.keys()).findIndex((ours) =>
      rows.every((own, index) => Math.abs(own[ours]! - input.X[index]![theirs]!) < 1e-9),
    ),
  );
}

describe.each<[string, Partial<CurveSpec>]>([
  ["linear growth and additive terms", {}],
  ["multiplicative terms", { mode: "multiplicative" }],
  ["flat growth", { growth: "flat" }],
  ["no terms", { terms: none }],
  ["no changepoints", { changepoints: 0 }],
])("%s", (_what, changes) => {
  const given = { ...spec, ...changes };

  test("the fitted curve agrees with augurs to 1e-9, in and beyond its rows", async () => {
    const curve = await fitCurve(times, values, given);
    let seen: StanInput | undefined;
    const expected = forecastByAugurs(
      times,
      values,
      given,
      (input) => {
        seen = input;
        return {
          k: curve.trend.rate,
          m: curve.trend.offset,
          delta: Float64Array.from(
            input.t_change,
            (_, index) => curve.trend.changepoints[index]?.change ?? 0,
          ),
          beta: Float64Array.from(columnsOf(input, given.terms), (ours) => curve.coefficients[ours] ?? 0),
          sigmaObs: curve.noise,
        };
      },
      future,
    );
    const at = curveAt(curve);
    for (const [index, value] of expected.entries())
      expect(Math.abs(at(future[index]!) - value)).toBeLessThan(1e-9);
    expect(seen?.T).toBe(times.length);
    expect(columnsOf(seen!, given.terms).toSorted((a, b) => a - b)).toEqual([
      ...Array(Math.max(1, termCount(given.terms))).keys(),
    ]);
    for (const [index, { at: changepoint }] of curve.trend.changepoints.entries())
      expect(changepoint).toBeCloseTo(seen!.t_change[index]!, 12);
  });
});

test("a curve is fitted from where augurs would start, with its priors", () => {
  const starts: { k: number; m: number }[] = [];
  let seen: StanInput | undefined;
  forecastByAugurs(
    times,
    values,
    spec,
    (input, start) => {
      seen = input;
      starts.push(start);
      return { k: 0, m: 0, delta: new Float64Array(12), beta: new Float64Array(16), sigmaObs: 1 };
    },
    future,
  );
  const largest = Math.max(...values.map(Math.abs));
  expect(starts[0]?.k).toBeCloseTo((values.at(-1)! - values[0]!) / largest, 12);
  expect(starts[0]?.m).toBeCloseTo(values[0]! / largest, 12);
  const columns = columnsOf(seen!, terms);
  expect(seen?.sigmas.map((scale, theirs) => [scale, columns[theirs]! >= 14])).toEqual(
    columns.map((ours) => (ours >= 14 ? [3, true] : [10, false])),
  );
  expect(seen).toMatchObject({ tau: 0.05, trend_indicator: 0 });
});

test("finds what a series was made of", async () => {
  const made = times.map((time, row) => {
    const day = time / DAY_MS;
    const holiday = Math.floor(day) * DAY_MS === Date.UTC(2024, 1, 29) ? 0.5 : 0;
    return 1 + row / 900 + 0.4 * Math.cos(2 * Math.PI * day) + holiday + 0.02 * normal();
  });
  const curve = await fitCurve(times, made, spec);
  const at = curveAt(curve);
  const noon = Date.UTC(2024, 1, 29, 12);
  expect(at(noon) - at(noon - DAY_MS)).toBeCloseTo(0.5, 1);
  expect(at(noon) - at(noon - DAY_MS / 2)).toBeCloseTo(-0.8, 0);
  expect(curve.unit * curve.noise).toBeCloseTo(0.02, 2);
  expect(await fitCurve(times, made, spec)).toEqual(curve);
});

test("missing values are left out", async () => {
  const holed = values.map((value, row) => (row % 3 === 0 && row > 0 && row < 899 ? Number.NaN : value));
  const kept = holed.map((_, row) => row).filter((row) => !Number.isNaN(holed[row]!));
  expect(await fitCurve(times, holed, spec)).toEqual(
    await fitCurve(
      kept.map((row) => times[row]!),
      kept.map((row) => values[row]!),
      spec,
    ),
  );
});

test.each([0, 4, -2.5])("a series that is always %d is forecast to stay so", async (level) => {
  const curve = await fitCurve(
    times,
    times.map(() => level),
    spec,
  );
  expect(curveAt(curve)(future[99]!)).toBeCloseTo(level, 12);
});

test("few rows make a curve", async () => {
  const curve = await fitCurve(times.subarray(0, 10), values.subarray(0, 10), spec);
  expect(Number.isFinite(curveAt(curve)(future[0]!))).toBe(true);
});

test.each([
  [0, "TABLE_TOO_SHORT", /two values/],
  [1, "TABLE_TOO_SHORT", /two values/],
  [3, "TRAINING_DIVERGED", /3 rows/],
])("%d rows are too few, and it says so", async (rows, code, message) => {
  const failing = fitCurve(times.subarray(0, rows), values.subarray(0, rows), { ...spec, terms: none });
  await expect(failing).rejects.toMatchObject({ code });
  await expect(failing).rejects.toThrow(message);
});

test("a long series is averaged in blocks and fitted in seconds", async () => {
  const long = Float64Array.from({ length: 100_001 }, (_, row) => START + row * 120_000);
  const rising = long.map((_, row) => 1 + row / 100_000 + 0.1 * normal());
  const curve: Curve = await fitCurve(long, rising, { ...spec, terms: none, changepoints: 2 });
  expect(curveAt(curve)(long[50_000]!)).toBeCloseTo(1.5, 1);
  expect(curve.unit * curve.noise).toBeCloseTo(0.1 / Math.sqrt(3), 2);
});
