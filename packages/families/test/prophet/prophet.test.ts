import { splitRows } from "@flts/forecasting/evaluation/split";
import { createTable, type Table } from "@flts/forecasting/table/table";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { TrainingTask } from "../../src/family.ts";
import { prophet } from "../../src/prophet/prophet.ts";

const STEP_MS = 1_800_000;
const ROWS = 400;
const times = Float64Array.from({ length: ROWS }, (_, row) => Date.UTC(2024, 1, 26) + row * STEP_MS);
const rhythm = (row: number) => Math.cos((2 * Math.PI * row) / 48);
const wave = times.map((_, row) => 0.5 + 0.3 * rhythm(row) + 0.05 * Math.sin(row * row));
const columnNamed = (column: string) => ({ column, center: 0, divisor: 1000, scale: 1, shift: 0 });
const scaling = { kind: "MinMaxScaler" as const, columns: ["down", "up"].map(columnNamed) };
const tableOf = (down: Float64Array, up = wave): Table => createTable(times, ["down", "up"], [down, up]);

const settingsWith = (changes: Record<string, unknown> = {}) => ({
  ...z.object(prophet.settings).parse({}),
  ...changes,
});

const taskOf = (table: Table, changes: Partial<TrainingTask> = {}): TrainingTask => ({
  table,
  scaling,
  targets: ["down"],
  split: splitRows(table.timesMs.length, { window: 1, horizon: 1 }),
  members: [],
  settings: settingsWith(),
  seed: "seed",
  signal: new AbortController().signal,
  onProgress: () => {},
  ...changes,
});

async function forecasts(task: TrainingTask, endTimesMs: Float64Array): Promise<Float64Array> {
  const { files, columns = [] } = await prophet.train(task);
  const forecaster = await prophet.load(files, {
    columns: [...columns],
    targets: [...task.targets],
    window: 1,
    horizon: 1,
    step_ms: STEP_MS,
  });
  const answers = await forecaster.predict(
    new Float64Array(endTimesMs.length * columns.length).fill(Number.NaN),
    endTimesMs,
  );
  await forecaster.close();
  return answers;
}

const later = Float64Array.from({ length: 96 }, (_, step) => times.at(-1)! + step * STEP_MS);

describe("PROPHET", () => {
  test("forecasts the step after each window in raw units, whatever the window holds", async () => {
    const answers = await forecasts(taskOf(tableOf(wave)), later);
    const error = answers.map((value, step) => Math.abs(value - 1000 * (0.5 + 0.3 * rhythm(ROWS + step))));
    expect(Math.max(...error)).toBeLessThan(100);
  });

  test("has a curve for each target, and needs no column but them", async () => {
    const flat = wave.map(() => 0.25);
    const task = taskOf(tableOf(wave, flat), { targets: ["up", "down"] });
    expect((await prophet.train(task)).columns).toEqual(["up", "down"]);
    const answers = await forecasts(task, later);
    expect(answers).toHaveLength(2 * later.length);
    const [up, down] = [0, 1].map((target) => answers.filter((_, index) => index % 2 === target));
    for (const value of up!) expect(value).toBeCloseTo(250, 9);
    for (const value of down!) expect(value).toBeGreaterThan(100);
  });

  test("never forecasts less than nothing of what was never negative", async () => {
    const falling = times.map((_, row) => Math.max(0, 1 - row / 300));
    const answers = await forecasts(taskOf(tableOf(falling)), later);
    expect(answers.every((value) => value === 0)).toBe(true);
    const negative = await forecasts(taskOf(tableOf(falling.map((value) => value - 0.5))), later);
    expect(negative.every((value) => value < -100)).toBe(true);
  });

  test("is fitted on the fit and stop rows alone", async () => {
    const task = taskOf(tableOf(wave));
    const altered = wave.map((value, row) => (row < task.split.stop[1] ? value : value * 3));
    expect((await prophet.train(taskOf(tableOf(altered)))).files).toEqual((await prophet.train(task)).files);
  });

  test("says what it was fitted with", async () => {
    const { params, metrics } = await prophet.train(taskOf(tableOf(wave)));
    expect(params).toMatchObject({
      model_type: "PROPHET",
      train_test_split: "0.8",
      growth: "linear",
      n_changepoints: "25",
      daily_seasonality: "4",
      country: "US",
    });
    expect(metrics.map(({ name }) => name)).toEqual(["train_mse", "train_rmse", "train_mae"]);
  });

  test.each([
    ["a country that does not exist", { COUNTRY: "XX" }, "SETTINGS_INVALID", /ISO 3166/],
    ["a target without values", {}, "TABLE_TOO_SHORT", /Not enough rows \(0\)/],
  ])("%s is refused by its name", async (_what, changes, code, message) => {
    const empty = wave.map(() => Number.NaN);
    const table = tableOf(code === "TABLE_TOO_SHORT" ? empty : wave);
    const failing = prophet.train(taskOf(table, { settings: settingsWith(changes) }));
    await expect(failing).rejects.toMatchObject({ code });
    await expect(failing).rejects.toThrow(message);
  });

  test.each([
    ["no file", new Map<string, Uint8Array>()],
    ["another file", new Map([["prophet.json", new TextEncoder().encode("{}")]])],
    ["fewer curves than targets", new Map([["prophet.json", new TextEncoder().encode('{"targets":[]}')]])],
  ])("a model with %s is refused", async (_what, files) => {
    const loading = async () =>
      prophet.load(files, { columns: ["down"], targets: ["down"], window: 1, horizon: 1, step_ms: 1 });
    await expect(loading()).rejects.toMatchObject({ code: "ARTIFACT_INVALID" });
  });
});

const parse = (given: Record<string, string>) => z.object(prophet.settings).safeParse(given);

describe("the settings", () => {
  test("are the reference's by default", () => {
    expect(parse({}).data).toEqual({
      GROWTH: "linear",
      N_CHANGEPOINTS: 25,
      CHANGEPOINT_RANGE: 0.8,
      YEARLY_SEASONALITY: "auto",
      WEEKLY_SEASONALITY: "auto",
      DAILY_SEASONALITY: "auto",
      SEASONALITY_MODE: "additive",
      SEASONALITY_PRIOR_SCALE: 10,
      HOLIDAYS_PRIOR_SCALE: 10,
      CHANGEPOINT_PRIOR_SCALE: 0.05,
      COUNTRY: "US",
    });
  });

  test.each([
    ["GROWTH", "logistic", /linear, flat/],
    ["COUNTRY", "Spain", /US or ES-CT, or none/],
    ["CHANGEPOINT_RANGE", "1.5", /at most 1/],
    ["SEASONALITY_PRIOR_SCALE", "0", /at least/],
    ["WEEKLY_SEASONALITY", "sometimes", /auto, true, false/],
  ])("%s=%s is refused with what to give instead", (name, value, message) => {
    expect(parse({ [name]: value }).error?.issues[0]?.message).toMatch(message);
  });

  test.each([
    ["es-ct", "ES-CT"],
    ["none", "NONE"],
  ])("COUNTRY=%s is %s", (given, expected) => {
    expect(parse({ COUNTRY: given }).data?.["COUNTRY"]).toBe(expected);
  });
});
