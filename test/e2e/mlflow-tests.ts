import { beforeAll, describe, expect, test } from "vitest";
import { serversOf } from "./backends.ts";
import { CONFIG_HASH, trainers } from "./cluster.ts";
import { type MlflowRun, readMlflow } from "./read-mlflow.ts";

/** Contents of a run (reference behaviour §5.5). */
export function mlflowTests(): void {
  describe("leaves in MLflow", () => {
    let runs: readonly MlflowRun[];
    beforeAll(async () => {
      runs = await readMlflow(serversOf(process.env).mlflow);
    });
    const runOf = (family: string): MlflowRun => runs.find(({ name }) => name === family)!;

    test("one finished run for each family, in the reference's experiments, with the settings' hash", () => {
      expect(runs).toHaveLength(trainers.length);
      const ends = runs.map(({ name, experiment, status }) => [name, { experiment, status }] as const);
      expect(Object.fromEntries(ends)).toEqual({
        LINEAR: { experiment: "Default", status: "FINISHED" },
        LSTM: { experiment: "Default", status: "FINISHED" },
        PROPHET: { experiment: "NonML", status: "FINISHED" },
      });
      for (const { params, name } of runs)
        expect(params, name).toMatchObject({ config_hash: CONFIG_HASH, model_type: name });
    });

    test("the parameters and, epoch by epoch, the metrics of a network", async () => {
      const { params, stepsOf } = runOf("LSTM");
      expect(params).toMatchObject({
        device: "cpu",
        input_size: "17",
        num_exogenous_features: "16",
        input_sequence_length: "10",
        output_sequence_length: "1",
        epochs: "2",
        learning_rate: "0.0001",
        early_stopping: expect.stringMatching(/^(true|True)$/),
        batch_size: "64",
        patience: expect.any(String),
        hidden_size: "16",
        num_layers: "1",
      });
      for (const part of ["train", "test"])
        for (const metric of ["loss", "mse", "rmse", "mae"])
          expect([part, metric, await stepsOf(`${part}_${metric}`)]).toEqual([part, metric, [1, 2]]);
    });

    test.each([
      ["LINEAR", ["MLmodel", "model.onnx"]],
      ["LSTM", ["MLmodel", "model.onnx", "weights.safetensors"]],
      ["PROPHET", ["prophet.json"]],
    ])("the files of %s, its manifest, and where its table comes from", (family, files) => {
      expect(runOf(family).files).toEqual(
        expect.arrayContaining([
          ...files.map((file) => `${family}/${file}`),
          `${family}/manifest.json`,
          "preprocess/preprocess_config.json",
          "scaler/scaling.json",
        ]),
      );
    });

    test("the loss curve of a network", () => {
      expect(runOf("LSTM").files).toContain("plots/loss_curve.svg");
    });

    test("errors on the score rows for every model", () => {
      for (const { name, metrics } of runs)
        expect(metrics, name).toMatchObject({
          score_rmse: expect.any(Number),
          score_mae: expect.any(Number),
          score_mse: expect.any(Number),
        });
    });
  });
}
