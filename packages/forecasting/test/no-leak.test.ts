import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Baseline, fitBaselines } from "../src/evaluation/baselines.ts";
import type { RollingForecasts } from "../src/evaluation/forecasts.ts";
import { bandsOfAll, calibrateIntervals } from "../src/evaluation/intervals.ts";
import { rollForecasts } from "../src/evaluation/rolling.ts";
import { splitRows } from "../src/evaluation/split.ts";
import { compareNrmse, standingOf } from "../src/evaluation/standing.ts";
import { fitLinear } from "../src/linear/fit.ts";
import { linearForecaster } from "../src/linear/model.ts";
import { preprocessPair } from "../src/preprocess/pipeline.ts";
import { defaultSettings } from "../src/preprocess/settings.ts";
import { addTimeFeatures } from "../src/preprocess/time-features.ts";
import { seededUniform } from "../src/random.ts";
import { synthesizeStation } from "../src/synthetic/station.ts";
import { columnOf, createTable, mapColumns, rowCount, sliceRows, type Table } from "../src/table/table.ts";

/** No number may depend on a row that lies after the border at which it was made. */

const WINDOW = 10;
const raw = synthesizeStation({ seed: 31, rows: 1_600, startMs: Date.UTC(2024, 0, 8) });
const station = addTimeFeatures(raw);
const targets = ["down", "up"];
const series = columnOf(station, "down");
const split = splitRows(rowCount(station), { window: WINDOW, horizon: 1 });

/** Every measurement from `border` on replaced by what another world might have measured. */
function rewritten(table: Table, border: number, seed: number): Table {
  const uniform = seededUniform(seed);
  return mapColumns(table, (values) =>
    values.map((value, row) =>
      row < border ? value : uniform() < 0.1 ? Number.NaN : value * 10 * uniform(),
    ),
  );
}

const borderAfter = (row: number) => fc.integer({ min: row, max: rowCount(station) - 1 });
const runs = { numRuns: 15 };

describe("rows after a border change nothing made before it:", () => {
  test("baselines, as fitted and as they forecast", () => {
    const [, fitEnd] = split.fit;
    const before = fitBaselines(series, split.fit, 120_000);
    fc.assert(
      fc.property(borderAfter(fitEnd), fc.integer(), (border, seed) => {
        const other = columnOf(rewritten(station, border, seed), "down");
        const last = border - 1;
        const forecasts = (baselines: readonly Baseline[], values: Float64Array) =>
          baselines.map((baseline) => baseline.forecast(values, last - 40, last, 3));
        const again = fitBaselines(other, split.fit, 120_000);
        expect(forecasts(again, other)).toEqual(forecasts(before, series));
      }),
      runs,
    );
  });

  test("LINEAR's weights, and its forecasts from every earlier origin", async () => {
    const rows: [number, number] = [0, split.stop[1]];
    const model = fitLinear(station, { targets, window: WINDOW, rows });
    const first = await rollForecasts(linearForecaster(model, 120_000), station, { rows: split.calibrate });
    await fc.assert(
      fc.asyncProperty(borderAfter(split.stop[1]), fc.integer(), async (border, seed) => {
        const other = rewritten(station, border, seed);
        const again = fitLinear(other, { targets, window: WINDOW, rows });
        expect(again).toEqual(model);
        const forecaster = linearForecaster(again, 120_000);
        const rolled = await rollForecasts(forecaster, other, { rows: split.calibrate });
        const width = targets.length;
        for (const [index, origin] of rolled.origins.entries()) {
          if (origin >= border) break;
          const position = first.origins.indexOf(origin);
          expect(rolled.forecast.subarray(index * width, (index + 1) * width)).toEqual(
            first.forecast.subarray(position * width, (position + 1) * width),
          );
        }
      }),
      { numRuns: 4 },
    );
  });

  test("intervals, as calibrated and as they lie around forecasts", () => {
    const columns = targets.map((target) => columnOf(station, target));
    const rolledIn = ([start, end]: readonly [number, number], from: readonly Float64Array[]) => {
      const origins = Int32Array.from({ length: end - start - 1 }, (_, index) => start + index);
      const pick = (shift: number) =>
        Float64Array.from({ length: origins.length * 2 }, (_, index) => {
          const column = from[index % 2];
          return column?.[(origins[Math.floor(index / 2)] ?? 0) + shift] ?? 0;
        });
      return { targets, horizon: 1, origins, actual: pick(1), forecast: pick(0) } satisfies RollingForecasts;
    };
    const calibrated = calibrateIntervals({ next: rolledIn(split.calibrate, columns) }, columns);
    fc.assert(
      fc.property(borderAfter(split.calibrate[1]), fc.integer(), (border, seed) => {
        const other = rewritten(station, border, seed);
        const others = targets.map((target) => columnOf(other, target));
        expect(calibrateIntervals({ next: rolledIn(split.calibrate, others) }, others)).toEqual(calibrated);
        const known = [border - 30, border] as const;
        const bands = (from: readonly Float64Array[]) => bandsOfAll(calibrated, rolledIn(known, from), from);
        expect(bands(others)).toEqual(bands(columns));
      }),
      runs,
    );
  });

  test("the train table and the scaling, whatever the test file holds", () => {
    const [train, measured] = [sliceRows(raw, 0, 1_200), sliceRows(raw, 1_200)];
    const settings = defaultSettings("a.csv", "b.csv");
    const first = preprocessPair(train, measured, settings);
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const again = preprocessPair(train, rewritten(measured, 0, seed), settings);
        expect(again.train).toEqual(first.train);
        expect(again.scaling).toEqual(first.scaling);
      }),
      runs,
    );
  });
});

describe("where there is nothing to learn, nobody has skill:", () => {
  test("with shuffled targets LINEAR is no better than the mean of the rows it was fitted on", async () => {
    for (const seed of [1, 2, 3]) {
      const uniform = seededUniform(seed);
      const order = Array.from(series.keys(), (row) => ({ row, key: uniform() }));
      const shuffled = order.toSorted((a, b) => a.key - b.key).map(({ row }) => series[row] ?? 0);
      const table = createTable(
        station.timesMs,
        station.columns,
        station.values.map((values, column) =>
          station.columns[column] === "down" ? Float64Array.from(shuffled) : values,
        ),
      );
      const fitted = { targets: ["down"], window: WINDOW, rows: [0, split.stop[1]] as [number, number] };
      const model = linearForecaster(fitLinear(table, fitted), 120_000);
      const rolled = await rollForecasts(model, table, { rows: [split.calibrate[0], rowCount(table)] });
      const seen = shuffled.slice(0, split.stop[1]);
      const mean = seen.reduce((sum, value) => sum + value, 0) / seen.length;
      const { actual, forecast } = rolled;
      const versus = compareNrmse(
        actual,
        forecast,
        actual.map(() => mean),
        1,
        seed,
      );
      expect(versus.high).toBeGreaterThan(0);
      expect(standingOf(actual, { name: "LINEAR", forecast }, ["down"]).r2).toBeLessThan(0.02);
    }
  });
});
