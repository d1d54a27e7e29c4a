import { FltsError } from "@flts/common/contracts/errors";
import type { ColumnScaling } from "@flts/common/scaler/scaling";
import { setting } from "@flts/common/service/config";
import { lossCurve } from "@flts/neural/export/loss-curve";
import { exportNetwork } from "@flts/neural/export/network";
import { safetensors } from "@flts/neural/export/safetensors";
import type { FeatureScaling } from "@flts/neural/export/scaling";
import { type CellName, recurrentNetwork } from "@flts/neural/networks/recurrent";
import { TrainingError } from "@flts/neural/training/error";
import { learningRateSchedules } from "@flts/neural/training/schedule";
import { type EpochReport, type TrainingResult, train } from "@flts/neural/training/train";
import { defineFamily, type Family, type TrainedModel } from "../family.ts";
import { MODEL_FILE, onnxForecaster } from "../onnx-forecaster.ts";
import { networkInput } from "./network-input.ts";
import { rootChangeNetwork } from "./root-change-network.ts";
import { rootTargets } from "./root-scale.ts";

/** The reference's settings by its names; the defaults are those of its trainers' manifests (behaviour §1.2). */
const settings = {
  HIDDEN_SIZE: setting.int(128, { min: 1, max: 4096 }),
  NUM_LAYERS: setting.int(2, { min: 1, max: 16 }),
  BATCH_SIZE: setting.int(64, { min: 1, max: 65_536 }),
  EPOCHS: setting.int(10, { min: 1, max: 100_000 }),
  LEARNING_RATE: setting.number(1e-4, { min: 1e-12, max: 10 }),
  LEARNING_RATE_SCHEDULE: setting.choice(learningRateSchedules, "constant"),
  INPUT_SEQ_LEN: setting.int(10, { min: 1, max: 10_000 }),
  OUTPUT_SEQ_LEN: setting.int(1, { min: 1, max: 1_000 }),
  /** Off trains all epochs; the best weights are kept either way. */
  EARLY_STOPPING: setting.flag(true),
  PATIENCE: setting.int(30, { min: 1 }),
  /** What a network answers with: where the targets will be, as in the reference, or how far their cube roots move (ADR 10). */
  FORECAST_OF: setting.choice(["level", "root-change"], "level"),
};

/** The reference clips gradients at this norm. */
const CLIP_NORM = 1;

export const lstm = recurrentFamily("LSTM", "lstm");
export const gru = recurrentFamily("GRU", "gru");

/** A stacked recurrent network: the last step's hidden state through one linear layer (behaviour §5.4), trained on onnxruntime. */
function recurrentFamily(name: string, cell: CellName): Family {
  return defineFamily({
    name,
    experiment: "Default",
    settings,
    shapeOf: ({ INPUT_SEQ_LEN, OUTPUT_SEQ_LEN }) => ({ window: INPUT_SEQ_LEN, horizon: OUTPUT_SEQ_LEN }),
    async train({
      table,
      scaling,
      targets,
      split,
      settings: given,
      seed,
      signal,
      onProgress,
    }): Promise<TrainedModel> {
      const changes = given.FORECAST_OF === "root-change";
      const seen = changes
        ? rootTargets(table, scaling, targets, split.fit)
        : { table, scaling, rooted: [] as readonly string[] };
      const { matrix, missing, scalings } = networkInput(seen.table, seen.scaling, split.fit);
      const columns = table.columns.length;
      const positions = targets.map((target) => table.columns.indexOf(target));
      const plain = recurrentNetwork({
        cell,
        features: columns,
        hiddenSize: given.HIDDEN_SIZE,
        numLayers: given.NUM_LAYERS,
        outputs: given.OUTPUT_SEQ_LEN * targets.length,
      });
      const shape = { window: given.INPUT_SEQ_LEN, features: columns, horizon: given.OUTPUT_SEQ_LEN };
      const roots = targets.map((target, index) =>
        seen.rooted.includes(target) ? scalings[positions[index]!]! : null,
      );
      const network = changes ? rootChangeNetwork(plain, { ...shape, targets: positions, roots }) : plain;
      const result = await inFltsTerms(() =>
        train({
          network,
          table: {
            features: matrix,
            columns,
            targets: positions,
            fit: { start: split.fit[0], end: split.fit[1] },
            stop: { start: split.stop[0], end: split.stop[1] },
          },
          settings: {
            batchSize: given.BATCH_SIZE,
            epochs: given.EPOCHS,
            learningRate: given.LEARNING_RATE,
            learningRateSchedule: given.LEARNING_RATE_SCHEDULE,
            inputLength: given.INPUT_SEQ_LEN,
            outputLength: given.OUTPUT_SEQ_LEN,
            patience: given.EARLY_STOPPING ? given.PATIENCE : given.EPOCHS,
            clipNorm: CLIP_NORM,
            seed,
          },
          signal,
          onEpoch: ({ epoch, epochs, trainLoss, testLoss }) =>
            onProgress({ fraction: epoch / epochs, epoch, epochs, loss: trainLoss, stopLoss: testLoss }),
        }),
      );
      const features = scalings.map((column, index) => inGraph(column, missing[index] ?? 0, seen.rooted));
      const spec = {
        name,
        window: given.INPUT_SEQ_LEN,
        horizon: given.OUTPUT_SEQ_LEN,
        features,
        targets: positions.map((position) => features[position]!),
      };
      return {
        files: new Map([
          [MODEL_FILE, exportNetwork(network, result.weights, spec, { family: name })],
          ["weights.safetensors", safetensors(result.weights, { format: "pt", family: name })],
        ]),
        attachments: new Map([["plots/loss_curve.svg", new TextEncoder().encode(curveOf(name, result))]]),
        params: {
          device: "cpu",
          model_type: name,
          input_size: String(columns),
          num_exogenous_features: String(columns - targets.length),
          input_sequence_length: String(given.INPUT_SEQ_LEN),
          output_sequence_length: String(given.OUTPUT_SEQ_LEN),
          epochs: String(given.EPOCHS),
          learning_rate: String(given.LEARNING_RATE),
          learning_rate_schedule: given.LEARNING_RATE_SCHEDULE,
          forecast_of: given.FORECAST_OF,
          early_stopping: String(given.EARLY_STOPPING),
          batch_size: String(given.BATCH_SIZE),
          ...(given.EARLY_STOPPING ? { patience: String(given.PATIENCE) } : {}),
          hidden_size: String(given.HIDDEN_SIZE),
          num_layers: String(given.NUM_LAYERS),
          best_epoch: String(result.bestEpoch),
        },
        metrics: result.history.flatMap(epochMetrics),
      };
    },
    load: onnxForecaster,
  });
}

/** How the exported graph scales a column; a rooted one it leaves to the network, which roots it first. */
function inGraph(scaling: ColumnScaling, missing: number, rooted: readonly string[]): FeatureScaling {
  return rooted.includes(scaling.column)
    ? { center: 0, divisor: 1, scale: 1, shift: 0, missing: missing ** 3 }
    : { ...scaling, missing };
}

/** The engine knows no FltsError; its faults have the same codes. */
async function inFltsTerms<Result>(training: () => Promise<Result>): Promise<Result> {
  try {
    return await training();
  } catch (error) {
    if (error instanceof TrainingError) throw new FltsError(error.code, error.message, error);
    throw error;
  }
}

/** The reference's metric names; what it calls `test` are our stop rows. */
function epochMetrics(report: EpochReport): { name: string; value: number; step: number }[] {
  const { epoch: step } = report;
  return Object.entries({
    train_loss: report.trainLoss,
    train_mse: report.trainMse,
    train_rmse: report.trainRmse,
    train_mae: report.trainMae,
    test_loss: report.testLoss,
    test_mse: report.testMse,
    test_rmse: report.testRmse,
    test_mae: report.testMae,
  }).map(([name, value]) => ({ name, value, step }));
}

const curveOf = (name: string, { history, bestEpoch }: TrainingResult): string =>
  lossCurve(
    `${name}: mean squared error, scaled`,
    [
      { label: "fit rows", color: "#1f77b4", values: history.map(({ trainLoss }) => trainLoss) },
      { label: "stop rows", color: "#d62728", values: history.map(({ testLoss }) => testLoss) },
    ],
    bestEpoch,
  );
