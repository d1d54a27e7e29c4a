import { FltsError } from "@flts/common/contracts/errors";
import { columnScalingSchema, scalingOf, unscaleValues } from "@flts/common/scaler/scaling";
import { setting } from "@flts/common/service/config";
import { measure } from "@flts/forecasting/evaluation/metrics";
import type { Forecaster } from "@flts/forecasting/forecaster";
import { isNonNegative } from "@flts/forecasting/non-negative";
import { columnOf } from "@flts/forecasting/table/table";
import { z } from "zod";
import { defineFamily } from "../family.ts";
import type { ModelDescription } from "../manifest.ts";
import { curveAt, curveSchema } from "./curve.ts";
import { fitCurve } from "./fit-curve.ts";
import { holidaysIn } from "./holidays.ts";
import { seasonalitiesOf, seasonalitySetting } from "./seasonalities.ts";

const priorScale = (fallback: number) => setting.number(fallback, { min: 1e-9, max: 1e9 });

/** The reference's settings by its names, with its defaults (behaviour §5.7). */
const settings = {
  /** Logistic growth would need a ceiling, which the reference has no setting for either. */
  GROWTH: setting.choice(["linear", "flat"], "linear"),
  N_CHANGEPOINTS: setting.int(25, { min: 0, max: 1_000 }),
  CHANGEPOINT_RANGE: setting.number(0.8, { min: 0, max: 1 }),
  YEARLY_SEASONALITY: seasonalitySetting("yearly"),
  WEEKLY_SEASONALITY: seasonalitySetting("weekly"),
  DAILY_SEASONALITY: seasonalitySetting("daily"),
  SEASONALITY_MODE: setting.choice(["additive", "multiplicative"], "additive"),
  SEASONALITY_PRIOR_SCALE: priorScale(10),
  HOLIDAYS_PRIOR_SCALE: priorScale(10),
  CHANGEPOINT_PRIOR_SCALE: priorScale(0.05),
  /** Whose holidays count: an ISO 3166 code, one with a region (`ES-CT`), or none. */
  COUNTRY: z
    .string()
    .toUpperCase()
    .regex(/^(NONE|[A-Z]{2}(-[A-Z0-9]{1,3})?)$/, "must be a country such as US or ES-CT, or none")
    .default("US"),
};

const MODEL_FILE = "prophet.json";

const modelSchema = z.object({
  targets: z.array(
    z.object({
      /** The curve is of the scaled column. */
      scaling: columnScalingSchema,
      /** No forecast is smaller, raw units; null for a target that can be negative. */
      minimum: z.number().nullable(),
      curve: curveSchema,
    }),
  ),
});
type ProphetModel = z.infer<typeof modelSchema>;

/**
 * Prophet: trend, seasonalities and holidays as a function of time, one curve for each target. It looks at no window, so its forecasts of the next step and of
 * next week are equally good. There is nothing to stop early, so it is fitted on the fit and stop rows, which are the 80 % that the reference fits it on.
 */
export const prophet = defineFamily({
  name: "PROPHET",
  experiment: "NonML",
  settings,
  shapeOf: () => ({ window: 1, horizon: 1 }),
  async train({ table, scaling, targets, split, settings: given, onProgress }) {
    const rows = split.stop[1];
    const times = table.timesMs.subarray(0, rows);
    const terms = {
      seasonalities: seasonalitiesOf(times, {
        yearly: given.YEARLY_SEASONALITY,
        weekly: given.WEEKLY_SEASONALITY,
        daily: given.DAILY_SEASONALITY,
      }),
      holidays: await holidaysIn(given.COUNTRY, times),
    };
    const fitted: ProphetModel["targets"] = [];
    const errors: ReturnType<typeof measure>[] = [];
    for (const target of targets) {
      const values = columnOf(table, target).subarray(0, rows);
      const column = scalingOf(scaling, target);
      const curve = await fitCurve(times, values, {
        growth: given.GROWTH,
        changepoints: given.N_CHANGEPOINTS,
        changepointRange: given.CHANGEPOINT_RANGE,
        terms,
        mode: given.SEASONALITY_MODE,
        seasonalityPriorScale: given.SEASONALITY_PRIOR_SCALE,
        holidaysPriorScale: given.HOLIDAYS_PRIOR_SCALE,
        changepointPriorScale: given.CHANGEPOINT_PRIOR_SCALE,
      });
      const minimum = isNonNegative(unscaleValues(column, values)) ? 0 : null;
      fitted.push({ scaling: column, minimum, curve });
      errors.push(insideErrors(times, values, curveAt(curve)));
      onProgress({ fraction: fitted.length / targets.length });
    }
    const model: ProphetModel = { targets: fitted };
    const average = (of: (error: ReturnType<typeof measure>) => number) =>
      errors.reduce((sum, error) => sum + of(error), 0) / errors.length;
    return {
      columns: targets,
      files: new Map([[MODEL_FILE, new TextEncoder().encode(`${JSON.stringify(model)}\n`)]]),
      attachments: new Map(),
      params: {
        model_type: "PROPHET",
        train_test_split: String(rows / table.timesMs.length),
        growth: given.GROWTH,
        n_changepoints: String(given.N_CHANGEPOINTS),
        changepoint_range: String(given.CHANGEPOINT_RANGE),
        ...Object.fromEntries(
          terms.seasonalities.map(({ name, order }) => [`${name}_seasonality`, String(order)]),
        ),
        seasonality_mode: given.SEASONALITY_MODE,
        seasonality_prior_scale: String(given.SEASONALITY_PRIOR_SCALE),
        holidays_prior_scale: String(given.HOLIDAYS_PRIOR_SCALE),
        changepoint_prior_scale: String(given.CHANGEPOINT_PRIOR_SCALE),
        country: given.COUNTRY,
        holidays: terms.holidays.map(({ name }) => name).join(", "),
      },
      metrics: [
        { name: "train_mse", value: average(({ mse }) => mse), step: 1 },
        { name: "train_rmse", value: average(({ rmse }) => rmse), step: 1 },
        { name: "train_mae", value: average(({ mae }) => mae), step: 1 },
      ],
    };
  },
  load: (files, description) => Promise.resolve(prophetForecaster(files, description)),
});

/** Errors on the rows fitted, scaled. */
function insideErrors(times: Float64Array, values: Float64Array, curve: (timeMs: number) => number) {
  const known = values.map((_, row) => row).filter((row) => !Number.isNaN(values[row]!));
  return measure(
    known.map((row) => values[row]!),
    known.map((row) => curve(times[row]!)),
  );
}

/** @throws ARTIFACT_INVALID */
function prophetForecaster(
  files: ReadonlyMap<string, Uint8Array>,
  { columns, targets, window, horizon, step_ms }: ModelDescription,
): Forecaster {
  const curves = parseModel(files.get(MODEL_FILE)).targets.map(({ curve, scaling, minimum }) => {
    const at = curveAt(curve);
    return (timeMs: number) => {
      const [raw = 0] = unscaleValues(scaling, Float64Array.of(at(timeMs)));
      return minimum === null ? raw : Math.max(raw, minimum);
    };
  });
  if (curves.length !== targets.length)
    throw new FltsError(
      "ARTIFACT_INVALID",
      `${MODEL_FILE} has ${curves.length} curves, not ${targets.length}`,
    );
  return {
    columns,
    targets,
    window,
    horizon,
    stepMs: step_ms,
    predict(_windows, endTimesMs) {
      const answers = new Float64Array(endTimesMs.length * horizon * curves.length);
      let position = 0;
      for (const end of endTimesMs)
        for (let step = 1; step <= horizon; step++)
          for (const curve of curves) answers[position++] = curve(end + step * step_ms);
      return Promise.resolve(answers);
    },
    close: () => Promise.resolve(),
  };
}

function parseModel(bytes: Uint8Array | undefined): ProphetModel {
  if (bytes === undefined) throw new FltsError("ARTIFACT_INVALID", `the model lacks ${MODEL_FILE}`);
  try {
    return modelSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new FltsError("ARTIFACT_INVALID", `${MODEL_FILE} is not a model of this release`, cause);
  }
}
