import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { embeddedIn, serversOf } from "./backends.ts";
import { batchTests } from "./batch-tests.ts";
import { replicas, trainers } from "./cluster.ts";
import { makeScratch } from "./flts.ts";
import { pipelineSuite } from "./pipeline-suite.ts";
import { type KafkaContents, readKafka } from "./read-kafka.ts";
import { type MlflowRun, readMlflow } from "./read-mlflow.ts";
import { readS3, type S3Contents } from "./read-s3.ts";

/**
 * The pipeline on Kafka, S3 and MLflow, and what it has left in them, held against the reference's interfaces: topics, keys, groups and fields of
 * messages (reference behaviour §2), buckets and keys (§3), contents of a run (§5.5), the promotion's payload (§6.4).
 */

const CONFIG_HASH = "6ce79cfae0029f0499e5ca7a14f996ee0fe8c7d4f2a4bbf2fe78d3ae6b155ea9";
const DIGEST = /^[0-9a-f]{64}$/;
const PROCESSED = "processed-data";
const families = trainers.map(({ family }) => family);

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function openSite() {
  const { kafka, s3, mlflow } = serversOf(process.env);
  const used = (await readS3(s3)).buckets.includes("model-promotion");
  if (used) throw new Error(`${s3} holds another pipeline's promotions: start servers with nothing in them`);
  const scratch = makeScratch();
  return {
    /** Like pods, they share no disk. */
    backends: () => ({
      ...embeddedIn(scratch.home()),
      KAFKA_BOOTSTRAP_SERVERS: kafka,
      S3_ENDPOINT: s3,
      MLFLOW_TRACKING_URI: mlflow,
    }),
    close: () => scratch.remove(),
  };
}

pipelineSuite("on Kafka, S3 and MLflow", openSite, (cluster) => {
  describe("leaves in Kafka", () => {
    let kafka: KafkaContents;
    beforeAll(async () => {
      // The head is the truth, so the model is served before the last event is published and every group has done with it.
      await vi.waitUntil(
        async () => {
          kafka = await readKafka(serversOf(process.env).kafka);
          return (
            messagesOf("model-selected").length > 0 &&
            [...kafka.groups.values()].every(({ lag }) => lag === 0)
          );
        },
        { timeout: 50_000, interval: 500 },
      );
    }, 60_000);
    const messagesOf = (topic: string) => kafka.topics.get(topic)?.messages ?? [];

    test("every topic with its partitions, and one for the dead letters of each, all empty", () => {
      const work = [
        "inference-data",
        "model-selected",
        "model-training",
        "performance-eval",
        "training-data",
      ];
      for (const topic of work) expect([topic, kafka.topics.get(topic)?.partitions]).toEqual([topic, 4]);
      for (const topic of [...work, "preprocess"].map((name) => `DLQ-${name}`))
        expect([topic, kafka.topics.get(topic)]).toEqual([topic, { partitions: 1, messages: [] }]);
    });

    test("one claim for trainers and one for inference", () => {
      const claim = { bucket: PROCESSED, v: 1, config_hash: CONFIG_HASH, identifier: "" };
      expect(messagesOf("training-data")).toEqual([
        expect.objectContaining({
          key: "train-claim",
          value: expect.objectContaining({
            ...claim,
            object: expect.stringMatching(/^[0-9a-f]{64}\/processed_data\.parquet$/),
            size: expect.any(Number),
          }),
        }),
      ]);
      const [message, ...others] = messagesOf("inference-data");
      expect(others).toEqual([]);
      expect(message).toMatchObject({
        key: "inference-claim",
        value: { ...claim, operation: "post: test data", object: message?.value["object_key"] },
      });
      expect(message?.value["object"]).toMatch(/^[0-9a-f]{64}\/test_processed_data\.parquet$/);
    });

    test.each(trainers)(
      "that $family began and succeeded, in this order and in one partition",
      ({ family }) => {
        const events = messagesOf("model-training").filter(({ value }) => value["run_name"] === family);
        const common = { experiment: family === "PROPHET" ? "NonML" : "Default", config_hash: CONFIG_HASH };
        expect(events.map(({ key }) => key)).toEqual(events.map(() => `trained-${family}`));
        expect(new Set(events.map(({ partition }) => partition)).size).toBe(1);
        expect(events.map(({ value }) => value)).toEqual([
          expect.objectContaining({ ...common, operation: `Training Started: ${family}`, status: "RUNNING" }),
          expect.objectContaining({
            ...common,
            operation: `Trained: ${family}`,
            status: "SUCCESS",
            run_id: expect.stringMatching(/^[0-9a-f]{32}$/),
          }),
        ]);
      },
    );

    test("one promotion with the reference's payload, the same as in the store", async () => {
      const store = await readS3(serversOf(process.env).s3);
      const [message, ...others] = messagesOf("model-selected");
      // Whoever finds the round complete announces it; a promotion may be heard twice, never another one.
      expect(others).toEqual(others.map(() => message));
      expect(message?.key).toBe("promotion");
      expect(message?.value).toMatchObject({
        identifier: "",
        config_hash: CONFIG_HASH,
        experiment: "Default",
        model_uri: `runs:/${String(message?.value["run_id"])}/${String(message?.value["model_type"])}`,
        weights: { rmse: 0.5, mae: 0.3, mse: 0.2 },
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      });
      const { rmse, mae, mse, score } = message!.value as Record<string, number>;
      expect(score).toBeCloseTo(0.5 * rmse! + 0.3 * mae! + 0.2 * mse!, 9);
      for (const key of ["current.json", "global/current.json", "global/history/promotion-00000001.json"])
        expect(await store.json("model-promotion", key), key).toEqual(message?.value);
    });

    test("the reference's groups, with a member each or shared by the replicas, nothing left to do, and one group for each replica", () => {
      const stable = { state: "Stable", members: 1, lag: 0 };
      const names = [
        ...trainers.map(({ group }) => group),
        "eval-promoter",
        ...replicas.map((name) => `inference-promotions-${name}`),
      ];
      expect(Object.fromEntries(kafka.groups)).toEqual({
        ...Object.fromEntries(names.map((name) => [name, stable])),
        inference_group: { ...stable, members: replicas.length },
      });
    });
  });

  describe("leaves in S3", () => {
    let store: S3Contents;
    beforeAll(async () => {
      store = await readS3(serversOf(process.env).s3);
    });

    test("the measurements as they were uploaded", async () => {
      expect(await store.keys("dataset")).toEqual([...cluster().dataset.keys()].toSorted());
      for (const [name, bytes] of cluster().dataset)
        expect(sha256(await store.bytes("dataset", name)), name).toBe(sha256(bytes));
    });

    test("the tables under the digests of their bytes, and heads that name them", async () => {
      const heads = ["processed_data", "test_processed_data"] as const;
      const tables: string[] = [];
      for (const name of heads) {
        const head = await store.json(PROCESSED, `${name}.meta.json`);
        expect(head).toMatchObject({
          identifier: "",
          source_bucket: "dataset",
          train_source_object: "PobleSec.csv",
          test_source_object: "PobleSec_test.csv",
          config: expect.any(String),
          config_hash: CONFIG_HASH,
          created_at: expect.stringMatching(/Z$/),
          scaler_type: "MinMaxScaler",
          column_names: expect.arrayContaining(["down", "up", "day_of_year_cos"]),
        });
        expect(sha256(new TextEncoder().encode(String(head["config"])))).toBe(CONFIG_HASH);
        const key = String(head["output_object"]);
        const [digest = "", file] = key.split("/");
        expect(digest).toMatch(DIGEST);
        expect(file).toBe(`${name}.parquet`);
        expect(sha256(await store.bytes(PROCESSED, key))).toBe(digest);
        tables.push(key);
      }
      expect(await store.keys(PROCESSED)).toEqual(
        [...tables, ...heads.map((name) => `${name}.meta.json`)].toSorted(),
      );
    });

    test("a candidate of each family, one decision, one epoch of history, the head and its copy", async () => {
      const keys = await store.keys("model-promotion");
      const places = keys.map((key) =>
        key.replace(/^(candidates|decisions)\/[0-9a-f]{64}\//, "$1/").replace(/[0-9a-f]{64}/g, "<digest>"),
      );
      expect(places).toEqual([
        // Eval's housekeeping has asked the store for its time.
        "_gc/time",
        // Each training's lease, given back.
        ...families.map(() => "_leases/<digest>.json"),
        ...families.map((family) => `candidates/${family}/<digest>.json`),
        "current.json",
        "decisions/<digest>/0001.json",
        "global/current.json",
        "global/history/promotion-00000001.json",
      ]);
    });

    test("a run's files in the bucket mlflow, under its experiment and its id", async () => {
      const keys = await store.keys("mlflow");
      expect(keys.filter((key) => !/^\d+\/[0-9a-f]{32}\/artifacts\/.+/.test(key))).toEqual([]);
      for (const { runId, files } of await readMlflow(serversOf(process.env).mlflow))
        for (const file of files)
          expect(keys).toContainEqual(expect.stringMatching(`^\\d+/${runId}/artifacts/${file}$`));
    });
  });

  describe("leaves in MLflow", () => {
    let runs: readonly MlflowRun[];
    beforeAll(async () => {
      runs = await readMlflow(serversOf(process.env).mlflow);
    });
    const runOf = (family: string): MlflowRun => runs.find(({ name }) => name === family)!;

    test("one finished run for each family, in the reference's experiments, with the settings' hash", () => {
      expect(runs).toHaveLength(families.length);
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

  batchTests(cluster, process.env);
});
