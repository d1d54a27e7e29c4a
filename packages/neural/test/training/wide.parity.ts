import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CellName, recurrentNetwork } from "../../src/networks/recurrent.ts";
import { namedWeights } from "../../src/networks/weights.ts";
import { forecastErrors } from "../../src/training/epochs.ts";
import { openForecasts } from "../../src/training/forecasts.ts";
import { openTraining } from "../../src/training/training-session.ts";
import { windowStarts } from "../../src/training/windows.ts";
import { decoded, floatsOf, largestDifference, largestRatio, type StoredTensor } from "../support/tensors.ts";

const folder = process.env["FLTS_FIXTURES_DIR"];

interface WideCase {
  readonly hyper: {
    readonly features: number;
    readonly hidden: number;
    readonly layers: number;
    readonly window: number;
  };
  readonly train_matrix: { readonly file: string };
  readonly test_matrix: { readonly file: string };
  readonly batch_order: { readonly file: string };
  readonly trainer_columns: readonly number[];
  readonly initial: { readonly file: string };
  readonly step_loss: readonly number[];
  readonly grad_norm: readonly number[];
  readonly epoch_mean_loss: readonly number[];
  readonly epoch_evaluation_on_train: readonly { readonly mse: number; readonly mae: number }[];
  readonly test_evaluation: { readonly mse: number; readonly mae: number };
  readonly final: Readonly<
    Record<string, { readonly l2: number; readonly l2_of_change: number; readonly first8: readonly number[] }>
  >;
  readonly probe_windows: readonly number[];
  readonly probe_predictions: StoredTensor;
}

const columns = 17;
const batch = 64;

describe.skipIf(!folder).each<CellName>(["lstm", "gru"])(
  "the default %s model on all windows trains as in PyTorch (needs FLTS_FIXTURES_DIR)",
  (cell) => {
    test("747 losses and norms, epochs, evaluations and the last weights agree", async () => {
      const stored = JSON.parse(read(`${cell}_wide_losscurve.json`).toString()) as WideCase;
      const { hidden, layers, window } = stored.hyper;
      const network = recurrentNetwork({
        cell,
        features: columns,
        hiddenSize: hidden,
        numLayers: layers,
        outputs: 1,
      });
      const train = tableOf(read(stored.train_matrix.file), stored.trainer_columns);
      const unseen = tableOf(read(stored.test_matrix.file), stored.trainer_columns);
      const initial = floatsOf(read(stored.initial.file));
      const order = new Uint16Array(Uint8Array.from(read(stored.batch_order.file)).buffer);
      const shape = { features: columns, targets: 1, window, horizon: 1, batch };
      const session = await openTraining(
        network,
        { ...shape, rows: train.rows, clipNorm: 1 },
        train,
        initial,
      );
      const forecasts = await openForecasts(network, { ...shape, rows: train.rows }, train.features);
      const windows = windowStarts({ start: 0, end: train.rows }, window, 1);

      const losses: number[] = [];
      const norms: number[] = [];
      const evaluations: { mse: number; mae: number }[] = [];
      const means: number[] = [];
      for (let epoch = 0; epoch < 3; epoch += 1) {
        const starts = Int32Array.from(order.subarray(epoch * windows.length, (epoch + 1) * windows.length));
        let sum = 0;
        for (let first = 0; first < starts.length; first += batch) {
          const drawn = starts.subarray(first, first + batch);
          const { loss, gradientNorm } = await session.step(drawn, 1e-4);
          losses.push(loss);
          norms.push(gradientNorm);
          sum += loss * drawn.length;
        }
        means.push(sum / starts.length);
        const answers = await forecasts.forecast(windows, session.state().parameters);
        const truth = { targets: train.targets, columns: 1, window, horizon: 1 };
        evaluations.push(forecastErrors(answers, windows, truth));
      }
      expect(largestRatio(losses, stored.step_loss)).toBeLessThan(1e-4);
      expect(largestRatio(norms, stored.grad_norm)).toBeLessThan(1e-3);
      expect(largestRatio(means, stored.epoch_mean_loss)).toBeLessThan(1e-5);
      expect(
        largestRatio(
          evaluations.map(({ mse }) => mse),
          stored.epoch_evaluation_on_train.map(({ mse }) => mse),
        ),
      ).toBeLessThan(1e-5);

      const { parameters } = session.state();
      const before = namedWeights(network.parameters, initial);
      for (const [index, { name, data }] of namedWeights(network.parameters, parameters).entries()) {
        const expected = stored.final[name];
        const change = data.map((value, at) => value - (before[index]?.data[at] ?? 0));
        expect(norm(data) / (expected?.l2 ?? 0)).toBeCloseTo(1, 5);
        expect(norm(change) / (expected?.l2_of_change ?? 0)).toBeCloseTo(1, 3);
        expect(largestDifference(data.slice(0, 8), Float32Array.from(expected?.first8 ?? []))).toBeLessThan(
          1e-5,
        );
      }
      const probed = await forecasts.forecast(Int32Array.from(stored.probe_windows), parameters);
      expect(largestDifference(probed, decoded(stored.probe_predictions))).toBeLessThan(1e-5);

      const onUnseen = await openForecasts(network, { ...shape, rows: unseen.rows }, unseen.features);
      const starts = windowStarts({ start: 0, end: unseen.rows }, window, 1);
      const answers = await onUnseen.forecast(starts, parameters);
      const errors = forecastErrors(answers, starts, {
        targets: unseen.targets,
        columns: 1,
        window,
        horizon: 1,
      });
      expect(errors.mse / stored.test_evaluation.mse).toBeCloseTo(1, 5);
      expect(errors.mae / stored.test_evaluation.mae).toBeCloseTo(1, 5);
      for (const open of [session, forecasts, onUnseen]) await open.close();
    });
  },
);

const read = (name: string): Buffer => readFileSync(join(folder ?? "", name));

/** A stored matrix with its columns in the trainer's order, the target last. */
function tableOf(
  file: Buffer,
  order: readonly number[],
): { features: Float32Array; targets: Float32Array; rows: number } {
  const stored = floatsOf(file);
  const rows = stored.length / columns;
  const features = stored.map(
    (_, index) => stored[index - (index % columns) + (order[index % columns] ?? 0)] ?? 0,
  );
  const targets = Float32Array.from({ length: rows }, (_, row) => features[(row + 1) * columns - 1] ?? 0);
  return { features, targets, rows };
}

const norm = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
