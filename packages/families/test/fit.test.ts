import { applyScaling, scalingOf, unscaleValues } from "@flts/common/scaler/scaling";
import { predictLinear } from "@flts/forecasting/linear/model";
import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { forecastAfter } from "@flts/forecasting/recursive";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { columnOf, createTable, sliceRows, type Table } from "@flts/forecasting/table/table";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { encodeManifest, fetchArtifact, storeArtifact } from "../src/artifact.ts";
import { type FitOptions, type FittedModel, fitFamily } from "../src/fit.ts";
import { loadModel } from "../src/model.ts";
import { familyOf } from "../src/registry.ts";
import { fitWork } from "./support/fit-work.ts";

const raw = synthesizeStation({ seed: 12, rows: 4_000, startMs: Date.UTC(2024, 0, 8) });
const { train, scaling } = preprocessPair(
  sliceRows(raw, 0, 3_600),
  sliceRows(raw, 3_600),
  defaultSettings("a.csv", "b.csv"),
);

const settings: Readonly<Record<string, Record<string, unknown>>> = {
  LINEAR: { INPUT_SEQ_LEN: 10 },
  LSTM: recurrentSettings(),
  GRU: recurrentSettings(),
  PROPHET: prophetSettings(),
};

/** Prophet knows the time alone: the last value is closer to the next one than any curve. */
const rivalOf = (family: string): string => (family === "PROPHET" ? "the mean" : "persistence");

function recurrentSettings(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    HIDDEN_SIZE: 16,
    NUM_LAYERS: 1,
    BATCH_SIZE: 32,
    EPOCHS: 15,
    LEARNING_RATE: 3e-3,
    LEARNING_RATE_SCHEDULE: "constant",
    INPUT_SEQ_LEN: 10,
    OUTPUT_SEQ_LEN: 1,
    EARLY_STOPPING: true,
    PATIENCE: 30,
    FORECAST_OF: "level",
    ...changes,
  };
}

function prophetSettings(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...z.object(familyOf("PROPHET").settings).parse({}), ...changes };
}

const work = (table: Table, given: Record<string, unknown>, changes: Partial<FitOptions> = {}): FitOptions =>
  fitWork(writeParquet(table, { scaling: JSON.stringify(scaling), preprocess_config: "{}" }), {
    settings: given,
    ...changes,
  });

describe.each(Object.entries(settings))("%s", (name, given) => {
  let fitted: FittedModel;

  beforeAll(async () => {
    fitted = await fitFamily(familyOf(name), work(train, given));
  });

  test(`beats ${rivalOf(name)} on the score rows`, () => {
    const { scores, rows, window } = fitted.artifact.manifest;
    const down = columnOf(train, "down");
    const known = down.subarray(0, rows.stop[1]);
    const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
    const first = rows.score[0] + window;
    const squares = down.subarray(first, rows.score[1]).map((value, index) => {
      const rival = rivalOf(name) === "the mean" ? mean : down[first + index - 1]!;
      return (value - rival) ** 2;
    });
    expect(scores.mse).toBeLessThan(squares.reduce((sum, square) => sum + square, 0) / squares.length);
  });

  test("is stored with its manifest last and loads to the same answers", async () => {
    const tracker = createMemoryTracker();
    const { runId } = await tracker.startRun({ experiment: "Default", name, tags: {} });
    await storeArtifact(tracker, runId, fitted.artifact);
    const model = await loadModel(
      await fetchArtifact(tracker, { runId, family: name, manifestSha256: null }),
    );
    const { window, end_time_ms, forecast } = model.manifest.self_test;
    const answer = await model.forecaster.predict(
      Float64Array.from(window, (value) => value ?? Number.NaN),
      Float64Array.of(end_time_ms),
    );
    expect(Array.from(answer)).toEqual(forecast);
    await model.close();
  });

  test("answers missing cells with numbers", async () => {
    const model = await loadModel(fitted.artifact);
    const { window, columns } = model.forecaster;
    const answer = await model.forecaster.predict(
      new Float64Array(window * columns.length).fill(Number.NaN),
      Float64Array.of(0),
    );
    expect(answer.every(Number.isFinite)).toBe(true);
    await model.close();
  });

  test("forecasts in raw units with its interval around it", async () => {
    const model = await loadModel(fitted.artifact);
    const { forecast, lower, upper, timesMs } = await forecastAfter(
      model.forecaster,
      model.manifest.intervals,
      raw,
      5,
    );
    expect(timesMs[0]).toBe((raw.timesMs.at(-1) ?? 0) + 120_000);
    const largest = Math.max(...columnOf(raw, "down"));
    for (const [step, value] of forecast.entries()) {
      expect(value).toBeGreaterThan(1e5);
      expect(value).toBeLessThan(largest * 2);
      expect(lower[step]).toBeLessThanOrEqual(value);
      expect(upper[step]).toBeGreaterThanOrEqual(value);
    }
    await model.close();
  });

  test("rows after the stop rows change nothing that was trained", async () => {
    const { rows } = fitted.artifact.manifest;
    const altered = createTable(
      train.timesMs,
      train.columns,
      train.values.map((values) => values.map((value, row) => (row < rows.calibrate[0] ? value : value / 2))),
    );
    const again = await fitFamily(familyOf(name), work(altered, given));
    expect(again.artifact.files).toEqual(fitted.artifact.files);
    expect(again.artifact.manifest.intervals).not.toEqual(fitted.artifact.manifest.intervals);
  });

  test("the same work gives the same bytes", async () => {
    const again = await fitFamily(familyOf(name), work(train, given));
    expect(encodeManifest(again.artifact.manifest)).toEqual(encodeManifest(fitted.artifact.manifest));
  });
});

test("LINEAR's graph agrees with its formulas", async () => {
  const { artifact } = await fitFamily(
    familyOf("LINEAR"),
    work(train, { INPUT_SEQ_LEN: 10 }, { targets: ["down", "up"] }),
  );
  const text = new TextDecoder().decode(artifact.files.get("coefficients.json"));
  const coefficients = JSON.parse(text) as Parameters<typeof predictLinear>[0];
  const model = await loadModel(artifact);
  const { columns } = model.forecaster;
  const windows = Float64Array.from({ length: 40 * 10 * columns.length }, (_, index) =>
    index % 37 === 0 ? Number.NaN : raw.values.length > 0 ? sample(index, columns) : 0,
  );
  const expected = predictLinear(coefficients, windows);
  const actual = await model.forecaster.predict(windows, new Float64Array(40));
  for (const [index, value] of expected.entries())
    expect(Math.abs(actual[index]! - value)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(value)));
  await model.close();
});

function sample(index: number, columns: readonly string[]): number {
  const column = columns[index % columns.length] ?? "";
  const scaled = columnOf(train, column)[Math.floor(index / columns.length)]!;
  return unscaleValues(scalingOf(scaling, column), Float64Array.of(scaled))[0] ?? 0;
}

test("another seed trains another network", async () => {
  const [first, second] = await Promise.all(
    ["a", "b"].map((seed) =>
      fitFamily(familyOf("LSTM"), work(train, recurrentSettings({ EPOCHS: 1 }), { seed })),
    ),
  );
  expect(first?.artifact.files.get("model.onnx")).not.toEqual(second?.artifact.files.get("model.onnx"));
});

test.each([
  ["an unknown target", { targets: ["sideways"] }, {}, "COLUMN_MISSING", /sideways/],
  [
    "too few rows",
    { parquet: writeParquet(sliceRows(train, 0, 30), { scaling: JSON.stringify(scaling) }) },
    {},
    "TABLE_TOO_SHORT",
    /30/,
  ],
  ["a window longer than the data", {}, { INPUT_SEQ_LEN: 2_000 }, "TABLE_TOO_SHORT", /2000/],
  ["garbage", { parquet: new Uint8Array([1, 2, 3]) }, {}, "TABLE_INVALID", /./],
  ["a table without scaling", { parquet: writeParquet(train, {}) }, {}, "TABLE_INVALID", /scaling/],
  ["a diverging training", {}, { LEARNING_RATE: 10, EPOCHS: 40, HIDDEN_SIZE: 64 }, "TRAINING_DIVERGED", /./],
] as const)("%s is refused by its name", async (_what, changes, given, code, message) => {
  const failing = fitFamily(
    familyOf("LSTM"),
    work(train, recurrentSettings(given), changes as Partial<FitOptions>),
  );
  await expect(failing).rejects.toMatchObject({ code });
  await expect(failing).rejects.toThrow(message);
});

test("an all-missing column is refused by its name", async () => {
  const holed = createTable(
    train.timesMs,
    train.columns,
    train.values.map((values, index) =>
      train.columns[index] === "mcs_up" ? values.map(() => Number.NaN) : values,
    ),
  );
  await expect(fitFamily(familyOf("GRU"), work(holed, recurrentSettings()))).rejects.toThrow(/mcs_up/);
});

test("a constant column is no obstacle", async () => {
  const flat = createTable(
    train.timesMs,
    train.columns,
    train.values.map((values, index) =>
      train.columns[index] === "rnti_count" ? values.map(() => 0.5) : values,
    ),
  );
  for (const name of ["LINEAR", "LSTM"]) {
    const { scores } = (await fitFamily(familyOf(name), work(flat, settings[name] ?? {}))).artifact.manifest;
    expect(scores.rmse).toBeGreaterThan(0);
  }
});

test("scaled and raw columns are the same measurements", () => {
  const [again] = applyScaling(scaling, ["down"], [columnOf(raw, "down").subarray(0, 10)]);
  expect(Array.from(again ?? [])).toEqual(Array.from(columnOf(train, "down").subarray(0, 10)));
});
