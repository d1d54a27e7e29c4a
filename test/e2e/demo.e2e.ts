import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { CONFIG_HASH } from "./cluster.ts";
import { makeScratch, resultOf, runFlts, stationCsv } from "./flts.ts";

const scratch = makeScratch();
afterAll(() => scratch.remove());

const errors = z.object({ rmse: z.number(), mae: z.number(), r2: z.number().nullable() });

/** What `flts demo --json` promises. */
const summarySchema = z.object({
  dataset: z.string(),
  rows: z.object({ train: z.number(), test: z.number() }),
  columns: z.number(),
  configHash: z.string().length(64),
  round: z.string().length(64),
  families: z.array(
    errors.extend({
      family: z.string(),
      runId: z.string().length(32),
      seconds: z.number(),
      mse: z.number(),
      score: z.number(),
      skill: z.number(),
    }),
  ),
  baselines: z.object({ persistence: errors, ewma: errors }),
  promoted: z
    .object({ family: z.string(), runId: z.string(), epoch: z.number(), verdict: z.string() })
    .nullable(),
  forecast: z
    .array(z.object({ ts: z.string(), down: z.number(), down_lower: z.number(), down_upper: z.number() }))
    .min(1),
  seconds: z.object({ preprocess: z.number(), train: z.number(), eval: z.number(), total: z.number() }),
});

const demo = async (parameters: readonly string[], environment: Record<string, string> = {}) => {
  const ended = await runFlts(["demo", "--json", ...parameters], environment);
  expect(ended.code, ended.stderr).toBe(0);
  return summarySchema.parse(resultOf(ended));
};

test("the demo goes from made-up measurements to a forecast; again, it does only what is needed", async () => {
  const home = scratch.home();
  const quick = { EPOCHS: "1", HIDDEN_SIZE: "8", NUM_LAYERS: "1" };
  const first = await demo(["--home", home], quick);
  expect(first.families.map(({ family }) => family)).toEqual(
    expect.arrayContaining(["LSTM", "GRU", "LINEAR"]),
  );
  expect(first.promoted).toMatchObject({ epoch: 1, verdict: "cold_start" });
  const [step] = first.forecast;
  expect(step?.down_lower).toBeLessThanOrEqual(step?.down ?? 0);
  expect(step?.down_upper).toBeGreaterThanOrEqual(step?.down ?? 0);

  const logOf = (service: string): string => readFileSync(join(home, "logs", `${service}.log`), "utf8");
  const trainings = (): number => logOf("train-linear").split('"train_start"').length;
  const before = trainings();
  const second = await demo(["--home", home], quick);
  expect(logOf("preprocess")).toContain('"skip_idempotent"');
  expect(trainings()).toBe(before);
  expect({ ...second, seconds: null, forecast: null }).toEqual({ ...first, seconds: null, forecast: null });

  const retrained = await demo(["--home", home], { ...quick, HIDDEN_SIZE: "9" });
  expect(retrained.round).toBe(first.round);
  // Either of the two networks that were trained again may win, one after the other.
  expect(retrained.promoted === null || retrained.promoted.epoch <= 3).toBe(true);
});

test("new data under an old name is a new round", async () => {
  const home = scratch.home();
  const only = ["--home", home, "--families", "LINEAR", "--dataset", "a"];
  const first = await demo([...only, "--data", scratch.dataset(stationCsv(600))]);
  const second = await demo([...only, "--data", scratch.dataset(stationCsv(650))]);
  expect(second.configHash).toBe(first.configHash);
  expect(second.round).not.toBe(first.round);
});

test("status tells what is, also where nothing runs", async () => {
  const home = scratch.home();
  await demo([
    "--home",
    home,
    "--families",
    "LINEAR",
    "--dataset",
    "a",
    "--data",
    scratch.dataset(stationCsv(600)),
  ]);
  const ended = await runFlts(["status", "--home", home, "--json"]);
  expect(ended.code).toBe(0);
  expect(resultOf(ended)).toMatchObject({
    stations: [{ champion: { family: "LINEAR", epoch: 1 } }],
    deadLetters: [],
    pending: [],
  });
  const forecast = await runFlts(["predict", "--home", home, "--horizon", "3", "--json"]);
  expect(forecast.code, forecast.stderr).toBe(0);
});

const dataset = process.env["FLTS_DATASET_DIR"];

test.skipIf(!dataset)(
  "PobleSec: the reference's rows, columns and hash, and a model that beats persistence (needs FLTS_DATASET_DIR)",
  async () => {
    const home = scratch.home();
    const summary = await demo([
      "--home",
      home,
      "--families",
      "LINEAR",
      "--data",
      dataset ?? "",
      "--dataset",
      "PobleSec",
    ]);
    expect(summary).toMatchObject({
      dataset: "PobleSec",
      rows: { train: 15_927, test: 3_982 },
      columns: 17,
      configHash: CONFIG_HASH,
      promoted: { epoch: 1 },
    });
    expect(summary.families[0]?.rmse).toBeLessThan(summary.baselines.persistence.rmse);
  },
);
