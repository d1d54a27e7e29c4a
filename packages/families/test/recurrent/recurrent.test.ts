import { applyScaling, type Scaling } from "@flts/common/scaler/scaling";
import { rollForecasts } from "@flts/forecasting/evaluation/rolling";
import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { rollForward } from "@flts/forecasting/recursive";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { mapColumns, sliceRows, type Table, toMatrix } from "@flts/forecasting/table/table";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type FittedModel, fitFamily } from "../../src/fit.ts";
import { loadModel } from "../../src/model.ts";
import { rootTargets } from "../../src/recurrent/root-scale.ts";
import { familyOf } from "../../src/registry.ts";
import { fitWork } from "../support/fit-work.ts";

const raw = synthesizeStation({ seed: 5, rows: 900, startMs: Date.UTC(2024, 0, 8) });
const targets = ["down", "up"];

function prepared(table: Table): { readonly train: Table; readonly scaling: Scaling; readonly raw: Table } {
  const settings = defaultSettings("a.csv", "b.csv");
  const { train, scaling } = preprocessPair(table, table, settings);
  const unscaled = preprocessPair(table, table, { ...settings, scaling: { method: "", addConstant: null } });
  return { train, scaling, raw: unscaled.train };
}

function fit(name: string, { train, scaling }: ReturnType<typeof prepared>, given: Record<string, unknown>) {
  const family = familyOf(name);
  const work = fitWork(writeParquet(train, { scaling: JSON.stringify(scaling) }), {
    targets,
    settings: {
      ...z.object(family.settings).parse({ HIDDEN_SIZE: "8", NUM_LAYERS: "1", FORECAST_OF: "root-change" }),
      ...given,
    },
  });
  return fitFamily(family, work);
}

const metricOf = ({ metrics }: FittedModel, name: string, step: number) =>
  metrics.find((metric) => metric.name === name && metric.step === step)?.value ?? Number.NaN;

describe.each(["LSTM", "GRU"])("%s", (name) => {
  test("of root changes answers, exported, as it did in training", async () => {
    const given = prepared(raw);
    const fitted = await fit(name, given, { EPOCHS: 2, LEARNING_RATE: 3e-3 });
    const { rows } = fitted.artifact.manifest;
    const { forecaster, close } = await loadModel(fitted.artifact);
    const rolled = await rollForecasts(forecaster, given.raw, { rows: rows.stop });
    await close();
    const { scaling } = rootTargets(given.train, given.scaling, targets, rows.fit);
    const rootsOf = (values: Float64Array) =>
      applyScaling(
        scaling,
        targets,
        targets.map((_, target) => values.filter((_value, at) => at % 2 === target).map(Math.cbrt)),
      );
    const [actual, forecast] = [rootsOf(rolled.actual), rootsOf(rolled.forecast)];
    const squares = actual.flatMap((series, target) =>
      Array.from(series, (value, row) => (value - (forecast[target]?.[row] ?? 0)) ** 2),
    );
    const mse = squares.reduce((sum, square) => sum + square, 0) / squares.length;
    const best = Number(fitted.params["best_epoch"]);
    expect(mse / metricOf(fitted, "test_mse", best)).toBeCloseTo(1, 2);
    expect(fitted.params["forecast_of"]).toBe("root-change");
  });

  test("hardly trained is close to the last value, where one of levels is anywhere", async () => {
    const given = prepared(raw);
    const scores = async (form: string) =>
      (await fit(name, given, { EPOCHS: 1, FORECAST_OF: form })).scores.rmse;
    expect(await scores("root-change")).toBeLessThan((await scores("level")) / 1.5);
  });

  test("does not run away, however far it is rolled forward from whatever it is given", async () => {
    const given = prepared(raw);
    const { artifact } = await fit(name, given, { EPOCHS: 2, LEARNING_RATE: 3e-2 });
    const { forecaster, close } = await loadModel(artifact);
    const window = toMatrix(sliceRows(given.raw, 0, 10), forecaster.columns);
    const most = targets.map((target) =>
      Math.max(...(given.raw.values[given.raw.columns.indexOf(target)] ?? [])),
    );
    for (const factor of [0, 1, 1e3]) {
      const path = await rollForward(
        forecaster,
        window.map((value) => value * factor),
        Float64Array.of(0),
        300,
      );
      for (const [at, value] of path.entries()) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual((most[at % 2] ?? 0) * (1 + 1e-5));
      }
    }
    await close();
  });
});

test("a target that can be negative is forecast by its changes as they are", async () => {
  const signed = mapColumns(raw, (values, column) =>
    column === "up" ? values.map((_, row) => 100 * Math.sin(row / 9)) : values,
  );
  const given = prepared(signed);
  const fitted = await fit("GRU", given, { EPOCHS: 8, LEARNING_RATE: 1e-2 });
  const { forecaster, manifest, close } = await loadModel(fitted.artifact);
  expect(manifest.intervals.targets.map(({ minimum }) => minimum)).toEqual([0, null]);
  const rolled = await rollForecasts(forecaster, given.raw, { rows: manifest.rows.score });
  await close();
  const errors = rolled.actual.map((value, at) =>
    at % 2 === 1 ? Math.abs(value - (rolled.forecast[at] ?? 0)) : 0,
  );
  expect(Math.max(...errors)).toBeLessThan(40);
  expect(rolled.forecast.some((value) => value < -20)).toBe(true);
});

test("several steps at once all start from the last value", async () => {
  const given = prepared(raw);
  const { artifact } = await fit("GRU", given, { EPOCHS: 1, LEARNING_RATE: 1e-9, OUTPUT_SEQ_LEN: 3 });
  const { forecaster, close } = await loadModel(artifact);
  const rows = sliceRows(given.raw, 100, 110);
  const answer = await forecaster.predict(toMatrix(rows, forecaster.columns), Float64Array.of(0));
  await close();
  const last = targets.map((target) => rows.values[rows.columns.indexOf(target)]?.at(-1) ?? Number.NaN);
  expect(answer).toHaveLength(6);
  for (const [at, value] of answer.entries()) expect(value / (last[at % 2] ?? 0)).toBeCloseTo(1, 4);
});
