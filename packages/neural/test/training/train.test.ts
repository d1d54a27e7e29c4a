import { describe, expect, test } from "vitest";
import { TrainingError } from "../../src/training/error.ts";
import type { EpochReport } from "../../src/training/train.ts";
import {
  type RecurrentSettings,
  type RecurrentTask,
  trainRecurrent,
} from "../../src/training/train-recurrent.ts";
import { waves } from "../support/synthetic.ts";

const settings: RecurrentSettings = {
  hiddenSize: 8,
  numLayers: 1,
  batchSize: 32,
  epochs: 4,
  learningRate: 0.01,
  learningRateSchedule: "constant",
  inputLength: 6,
  outputLength: 1,
  patience: 30,
  clipNorm: 1,
  seed: "seed",
};

const task = (
  changes: Partial<RecurrentSettings> = {},
  rest: Partial<RecurrentTask> = {},
): RecurrentTask => ({
  ...waves(),
  cell: "gru",
  settings: { ...settings, ...changes },
  ...rest,
});

const faultOf = (wrong: RecurrentTask): Promise<unknown> =>
  trainRecurrent(wrong).then(
    () => "trained",
    (error: unknown) => (error instanceof TrainingError ? `${error.code}: ${error.message}` : error),
  );

describe("a training", () => {
  test.each(["lstm", "gru"] as const)("of an %s learns a wave better than a constant would", async (cell) => {
    const { history, weights } = await trainRecurrent(task({ epochs: 12 }, { cell }));
    const variance = 0.4 ** 2 / 2;
    expect(history.at(-1)?.testMse).toBeLessThan(variance / 20);
    expect(weights.map(({ name }) => name)).toContain(`${cell}.weight_ih_l0`);
  });

  test("gives the same weights for the same seed, and others for another", async () => {
    const [first, again, other] = await Promise.all(
      [task(), task(), task({ seed: "another" })].map(trainRecurrent),
    );
    expect(again?.weights).toEqual(first?.weights);
    expect(again?.history).toEqual(first?.history);
    expect(other?.weights).not.toEqual(first?.weights);
  });

  test("reports each epoch once it is done, with figures that fit together", async () => {
    const reports: EpochReport[] = [];
    const { history } = await trainRecurrent(task({}, { onEpoch: (report) => reports.push(report) }));
    expect(reports).toEqual(history);
    expect(history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    for (const { trainMse, trainRmse, trainMae, trainLoss, testMse, testRmse, testMae } of history) {
      expect(trainLoss).toBe(trainMse);
      expect(trainRmse).toBeCloseTo(Math.sqrt(trainMse), 12);
      expect(testRmse).toBeCloseTo(Math.sqrt(testMse), 12);
      expect(trainMae).toBeLessThanOrEqual(trainRmse);
      expect(testMae).toBeLessThanOrEqual(testRmse);
    }
  });

  test("forecasts several targets several steps ahead", async () => {
    const { weights, history } = await trainRecurrent(task({ outputLength: 3 }, { targets: [0, 2] }));
    expect(weights.find(({ name }) => name === "fc.weight")?.shape).toEqual([6, 8]);
    expect(history.at(-1)?.testLoss).toBeLessThan(history[0]?.testLoss ?? 0);
  });

  test("keeps the weights of the best epoch and stops when patience runs out", async () => {
    // Noise cannot be learned: the stop rows get worse while the fit rows get better.
    const noise = { ...waves(60, 40), stop: { start: 48, end: 60 } };
    const { history, bestEpoch } = await trainRecurrent(
      task({ epochs: 200, learningRate: 0.05, patience: 3 }, noise),
    );
    const losses = history.map(({ testLoss }) => testLoss);
    expect(losses[bestEpoch - 1]).toBe(Math.min(...losses));
    expect(history.length).toBe(bestEpoch + 3);
    expect(history.length).toBeLessThan(200);
  });

  test("makes a batch of all windows when there are fewer than a batch", async () => {
    const { history } = await trainRecurrent(task({ batchSize: 10_000 }));
    expect(history).toHaveLength(4);
  });

  test("lowers its learning rate by schedule", async () => {
    const rates = (await trainRecurrent(task({ learningRateSchedule: "cosine" }))).history.map(
      ({ learningRate }) => learningRate,
    );
    expect(rates).toEqual(rates.toSorted((a, b) => b - a));
    expect(rates.at(-1)).toBeLessThan(1e-4);
  });
});

describe("an aborted training", () => {
  test("stops between two steps with the signal's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const training = trainRecurrent(task({ epochs: 100_000 }, { signal: controller.signal }));
    setImmediate(() => controller.abort(reason));
    await expect(training).rejects.toBe(reason);
  });

  test("does not begin when its signal has aborted already", async () => {
    const training = trainRecurrent(task({}, { signal: AbortSignal.abort(new Error("too late")) }));
    await expect(training).rejects.toThrow("too late");
  });

  test("leaves the event loop room between steps", async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    await trainRecurrent(task({ epochs: 10 }));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });
});

describe("a training that cannot succeed says why", () => {
  test("a loss that explodes", async () => {
    expect(await faultOf(task({ learningRate: 1e6, clipNorm: undefined, epochs: 50 }))).toMatch(
      /^TRAINING_DIVERGED: the loss is .* lower learningRate=1000000/,
    );
  });

  test("a number that is none, by its place", async () => {
    const { features, ...rest } = waves();
    const holed = features.with(3 * 7 + 2, Number.NaN);
    expect(await faultOf(task({}, { ...rest, features: holed }))).toBe(
      "TABLE_INVALID: column 2, row 7 of the fit rows holds NaN; training needs finite numbers",
    );
  });

  test("an infinity in the stop rows, by its place", async () => {
    const { features, ...rest } = waves();
    const holed = features.with(3 * 390, Number.POSITIVE_INFINITY);
    expect(await faultOf(task({}, { ...rest, features: holed }))).toMatch(
      /column 0, row 390 of the stop rows holds Infinity/,
    );
  });

  test("numbers outside of both ranges do not matter", async () => {
    const { features, ...rest } = waves();
    const holed = features.with(3 * 390, Number.NaN);
    const ranges = { fit: { start: 0, end: 300 }, stop: { start: 300, end: 390 } };
    expect(await faultOf(task({}, { ...rest, ...ranges, features: holed }))).toBe("trained");
  });

  test("windows longer than the data", async () => {
    expect(await faultOf(task({ inputLength: 100 }))).toMatch(
      /^TABLE_TOO_SHORT: the 80 stop rows hold no window of inputLength=100/,
    );
    expect(await faultOf(task({ inputLength: 400 }))).toMatch(/^TABLE_TOO_SHORT: the 320 fit rows/);
  });

  test("rows that the table does not have", async () => {
    expect(await faultOf(task({}, { stop: { start: 320, end: 500 } }))).toMatch(
      /^TABLE_INVALID: the stop rows 320 to 500/,
    );
  });

  test("a target that is no column", async () => {
    expect(await faultOf(task({}, { targets: [3] }))).toMatch(
      /^SETTINGS_INVALID: targets must be columns from 0 to 2, not \[3\]/,
    );
    expect(await faultOf(task({}, { targets: [] }))).toMatch(/^SETTINGS_INVALID: targets/);
  });

  test("all settings that are out of range, at once", async () => {
    expect(await faultOf(task({ batchSize: 0, patience: 1.5, learningRate: Number.NaN }))).toBe(
      "SETTINGS_INVALID: batchSize must be a whole number from 1, not 0; patience must be a whole number from 1, not 1.5; " +
        "learningRate must be above 0, not NaN",
    );
    expect(await faultOf(task({ hiddenSize: 0, numLayers: -1 }))).toMatch(/hiddenSize .*; numLayers/);
    expect(await faultOf(task({ clipNorm: 0 }))).toMatch(/clipNorm must be above 0, not 0/);
  });
});
