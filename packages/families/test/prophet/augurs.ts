import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { initSync, Prophet } from "@bsull/augurs/prophet";
import type { CurveSpec } from "../../src/prophet/fit-curve.ts";

/** augurs, another implementation of Prophet, as an oracle. It finds its own WebAssembly by `fetch`, which reads no files: it is given the bytes. */
const home = createRequire(import.meta.url).resolve("@bsull/augurs/prophet");
initSync({ module: readFileSync(home.replace(/prophet\.js$/, "prophet_bg.wasm")) });

/** What augurs gives to Stan. */
export interface StanInput {
  readonly T: number;
  readonly y: readonly number[];
  readonly t: readonly number[];
  readonly t_change: readonly number[];
  readonly trend_indicator: number;
  readonly X: readonly (readonly number[])[];
  readonly s_a: readonly number[];
  readonly s_m: readonly number[];
  readonly sigmas: readonly number[];
  readonly tau: number;
}

interface Parameters {
  readonly k: number;
  readonly m: number;
  readonly delta: Float64Array;
  readonly beta: Float64Array;
  readonly sigmaObs: number;
}

/**
 * Forecasts by augurs for parameters that `optimize` makes of what augurs prepared for Stan.
 * @param timesMs whole seconds
 */
export function forecastByAugurs(
  timesMs: Float64Array,
  values: Float64Array,
  spec: CurveSpec,
  optimize: (input: StanInput, start: { readonly k: number; readonly m: number }) => Parameters,
  futureMs: Float64Array,
): number[] {
  const off = { type: "manual", enabled: false } as const;
  const prophet = new Prophet({
    optimizer: {
      optimize: (start, json) => ({
        logs: { debug: "", info: "", warn: "", error: "", fatal: "" },
        params: { trend: new Float64Array(), ...optimize(JSON.parse(json) as StanInput, start) },
      }),
    },
    growth: spec.growth,
    nChangepoints: spec.changepoints,
    changepointRange: spec.changepointRange,
    yearlySeasonality: off,
    weeklySeasonality: off,
    dailySeasonality: off,
    seasonalityMode: spec.mode,
    seasonalityPriorScale: spec.seasonalityPriorScale,
    holidaysPriorScale: spec.holidaysPriorScale,
    changepointPriorScale: spec.changepointPriorScale,
    uncertaintySamples: 0,
    holidays: new Map(
      spec.terms.holidays.map(({ name, days_ms }) => [
        name,
        { occurrences: days_ms.map((day) => ({ start: day / 1000, end: day / 1000 + 86_400 })) },
      ]),
    ),
  });
  for (const { name, period_days, order } of spec.terms.seasonalities)
    prophet.addSeasonality(name, { period: period_days, fourierOrder: order });
  try {
    prophet.fit({ ds: seconds(timesMs), y: Array.from(values) });
    return prophet.predict({ ds: seconds(futureMs) }).yhat.point;
  } finally {
    prophet.free();
  }
}

const seconds = (timesMs: Float64Array): number[] => Array.from(timesMs, (time) => time / 1000);
