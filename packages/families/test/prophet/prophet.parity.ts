import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { curveAt } from "../../src/prophet/curve.ts";
import { fitCurve } from "../../src/prophet/fit-curve.ts";
import { holidaysIn } from "../../src/prophet/holidays.ts";
import { seasonalitiesOf } from "../../src/prophet/seasonalities.ts";

/** Fits of Prophet itself to real measurements, which are not part of the repository. */
const folder = process.env["FLTS_FIXTURES_DIR"] ?? "";

interface Case {
  readonly name: string;
  readonly rows: number;
  readonly country: string;
  readonly settings: {
    readonly n_changepoints: number;
    readonly changepoint_range: number;
    readonly seasonality_prior_scale: number;
    readonly holidays_prior_scale: number;
    readonly changepoint_prior_scale: number;
  };
  readonly seasonalities: Readonly<Record<string, { period_days: number; fourier_order: number }>>;
  readonly inside_rows: readonly number[];
  readonly inside_yhat: readonly number[];
  readonly future_yhat: readonly number[];
}

const START = Date.UTC(2018, 1, 5, 23, 40);
const STEP_MS = 120_000;
const COLUMNS = 17;
/** Two optimizers of Prophet itself differ by up to 0.007. */
const TOLERANCE = 0.01;

const timesFrom = (row: number, length: number) =>
  Float64Array.from({ length }, (_, index) => START + (row + index) * STEP_MS);

function readCases(): readonly Case[] {
  if (folder === "") return [];
  const text = readFileSync(join(folder, "prophet_small.json"), "utf8");
  return (JSON.parse(text) as { readonly cases: readonly Case[] }).cases;
}

function readDown(): Float64Array {
  const bytes = readFileSync(join(folder, "poblesec_train_scaled.f32.bin"));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.byteLength / 4 / COLUMNS }, (_, row) =>
    view.getFloat32(row * COLUMNS * 4, true),
  );
}

describe.skipIf(folder === "")("Prophet's own forecasts (needs FLTS_FIXTURES_DIR)", () => {
  test.each(readCases().map((one) => [one.name, one] as const))("%s", async (_name, one) => {
    const { rows, settings, country, inside_rows, inside_yhat, future_yhat } = one;
    const times = timesFrom(0, rows);
    const seasonalities = seasonalitiesOf(times, { yearly: "auto", weekly: "auto", daily: "auto" });
    expect(
      Object.fromEntries(
        seasonalities.map(({ name, period_days, order }) => [name, { period_days, fourier_order: order }]),
      ),
    ).toEqual(one.seasonalities);
    const curve = await fitCurve(times, readDown().subarray(0, rows), {
      growth: "linear",
      changepoints: settings.n_changepoints,
      changepointRange: settings.changepoint_range,
      terms: { seasonalities, holidays: await holidaysIn(country, times) },
      mode: "additive",
      seasonalityPriorScale: settings.seasonality_prior_scale,
      holidaysPriorScale: settings.holidays_prior_scale,
      changepointPriorScale: settings.changepoint_prior_scale,
    });
    const at = curveAt(curve);
    for (const [index, row] of inside_rows.entries())
      expect(Math.abs(at(times[row]!) - inside_yhat[index]!)).toBeLessThan(TOLERANCE);
    for (const [index, time] of timesFrom(rows, future_yhat.length).entries())
      expect(Math.abs(at(time) - future_yhat[index]!)).toBeLessThan(TOLERANCE);
  });
});
