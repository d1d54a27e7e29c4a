import fc from "fast-check";
import { expect, test } from "vitest";
import { forecastsBefore, seriesOf } from "../../src/evaluation/forecasts.ts";
import { rollAhead, rollForecasts } from "../../src/evaluation/rolling.ts";
import { createTable } from "../../src/table/table.ts";
import { repeatLast } from "../support/forecasters.ts";

const tableOf = (values: readonly number[]) =>
  createTable(
    Float64Array.from(values, (_, row) => row * 120_000),
    ["a", "b"],
    [Float64Array.from(values), Float64Array.from(values, (value) => -value)],
  );
const counting = (rows: number) => tableOf(Array.from({ length: rows }, (_, row) => row));

test("every origin with history and future inside the rows is forecast once", async () => {
  const result = await rollForecasts(repeatLast(["a", "b"], ["a"]), counting(20), {
    rows: [5, 12],
    horizon: 2,
  });
  expect([...result.origins]).toEqual([7, 8, 9]);
  expect([...result.actual]).toEqual([8, 9, 9, 10, 10, 11]);
  expect([...result.forecast]).toEqual([7, 7, 8, 8, 9, 9]);
});

test("a longer history asked for moves the first origin, so that forecasters share rows", async () => {
  const options = { rows: [0, 12] as [number, number], history: 6 };
  const short = await rollForecasts(repeatLast(["a"], ["a"], { window: 1 }), counting(12), options);
  const long = await rollForecasts(repeatLast(["a"], ["a"], { window: 6 }), counting(12), options);
  expect(short.origins).toEqual(long.origins);
  expect(short.actual).toEqual(long.actual);
  expect(short.origins[0]).toBe(5);
});

test("a stride skips origins, a missing actual value leaves one out", async () => {
  const strided = await rollForecasts(repeatLast(["a"], ["a"]), counting(12), { rows: [0, 12], stride: 4 });
  expect([...strided.origins]).toEqual([2, 6, 10]);
  const holed = tableOf([0, 1, 2, 3, Number.NaN, 5, 6]);
  const result = await rollForecasts(repeatLast(["a"], ["a"], { window: 2 }), holed, {
    rows: [0, 7],
    horizon: 2,
  });
  expect([...result.origins]).toEqual([1, 4]);
});

test("many origins go through the forecaster in batches and come back in order", async () => {
  const forecaster = repeatLast(["a"], ["a"], { window: 1 });
  const { forecast, origins } = await rollForecasts(forecaster, counting(3000), { rows: [0, 3000] });
  expect(forecaster.seen.length).toBe(3);
  expect([...forecast]).toEqual([...origins]);
});

test("one target at one step is picked out", async () => {
  const result = await rollForecasts(repeatLast(["a", "b"], ["b", "a"]), counting(10), {
    rows: [0, 10],
    horizon: 3,
  });
  expect([...seriesOf(result, 1, 3).actual]).toEqual([5, 6, 7, 8, 9]);
  expect([...seriesOf(result, 0, 1).forecast]).toEqual([-2, -3, -4, -5, -6]);
});

test("rows that hold no window are refused", async () => {
  await expect(rollForecasts(repeatLast(["a"], ["a"]), counting(10), { rows: [2, 5] })).rejects.toMatchObject(
    {
      code: "TABLE_TOO_SHORT",
    },
  );
});

test("nothing outside the rows changes a forecast or what it is compared with", async () => {
  const change = fc.record({ row: fc.nat({ max: 39 }), value: fc.integer({ min: -50, max: 50 }) });
  await fc.assert(
    fc.asyncProperty(change, async ({ row, value }) => {
      const values = Array.from({ length: 40 }, (_, index) => Math.sin(index));
      const rows: [number, number] = [10, 30];
      const before = await rollForecasts(repeatLast(["a"], ["a"]), tableOf(values), { rows });
      const altered = values.with(row, value);
      const after = await rollForecasts(repeatLast(["a"], ["a"]), tableOf(altered), { rows });
      const untouched = row < 10 || row >= 30;
      expect(untouched && String(after.forecast) !== String(before.forecast)).toBe(false);
      expect(untouched && String(after.actual) !== String(before.actual)).toBe(false);
    }),
  );
});

test("forecasts before a border are those that end before it", async () => {
  const all = await rollForecasts(repeatLast(["a", "b"], ["a", "b"]), counting(12), {
    rows: [0, 12],
    horizon: 2,
  });
  const before = forecastsBefore(all, 8);
  expect([...before.origins]).toEqual([2, 3, 4, 5]);
  expect([...before.actual.subarray(-4)]).toEqual([6, -6, 7, -7]);
  expect([...before.forecast.subarray(-4)]).toEqual([5, -5, 5, -5]);
  expect(forecastsBefore(all, 100)).toEqual(all);
  expect(forecastsBefore(all, 2).origins.length).toBe(0);
});

test("several steps ahead are forecast from about four hundred rows, spread over the range", async () => {
  const { origins, horizon } = await rollAhead(repeatLast(["a"], ["a"]), counting(5_000), {
    rows: [1_000, 5_000],
    horizon: 30,
  });
  expect(horizon).toBe(30);
  expect(origins.length).toBeGreaterThanOrEqual(400);
  expect(origins.length).toBeLessThan(450);
  expect([origins[0], origins[1]]).toEqual([1_002, 1_011]);
  expect(origins.at(-1)).toBeGreaterThan(4_960);
});

test("a short range is forecast as far as leaves four rows to start from for every step", async () => {
  const short = await rollAhead(repeatLast(["a"], ["a"]), counting(53), { rows: [0, 53], horizon: 30 });
  const shortest = await rollAhead(repeatLast(["a"], ["a"]), counting(6), { rows: [0, 6], horizon: 30 });
  expect([short.horizon, short.origins.length]).toEqual([10, 41]);
  expect([shortest.horizon, shortest.origins.length]).toEqual([1, 3]);
});
