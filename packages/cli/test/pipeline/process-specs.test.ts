import { syntheticTraining } from "@flts/cli/pipeline/dataset";
import { preprocessOf, servicesOf, stationsOf } from "@flts/cli/pipeline/process-specs";
import { expect, test } from "vitest";

const options = {
  home: "/state",
  host: "127.0.0.1",
  ports: { gateway: 8000, inference: 8023, eval: 8050 },
  families: ["LINEAR", "GRU"],
};

const single = stationsOf(["PobleSec"]);

test("the services start in the order of the data's way, one trainer for each family", () => {
  expect(servicesOf(options, single).map(({ name, module }) => [name, module])).toEqual([
    ["gateway", "@flts/gateway/main"],
    ["train-linear", "@flts/train/main"],
    ["train-gru", "@flts/train/main"],
    ["eval", "@flts/eval/main"],
    ["inference", "@flts/inference/main"],
  ]);
});

test("every service shares home and host, and takes any free port for its metrics", () => {
  for (const { environment } of servicesOf(options, single))
    expect(environment).toMatchObject({ FLTS_HOME: "/state", HOST: "127.0.0.1", METRICS_PORT: "0" });
});

test("each has what it alone needs", () => {
  const [gateway, , gru, evaluator, inference] = servicesOf(options, single).map(
    ({ environment }) => environment,
  );
  expect(gateway?.["PORT"]).toBe("8000");
  expect(gru).toMatchObject({ MODEL_TYPE: "GRU", EXPECTED_MODEL_TYPES: "LINEAR,GRU" });
  expect(evaluator).toMatchObject({ PORT: "8050", EXPECTED_MODEL_TYPES: "LINEAR,GRU" });
  expect(inference?.["PORT"]).toBe("8023");
});

test("a single dataset is the default station, several have their names", () => {
  expect(stationsOf(["PobleSec"])).toEqual([{ identifier: "", dataset: "PobleSec" }]);
  expect(stationsOf(["A", "B"]).map(({ identifier }) => identifier)).toEqual(["A", "B"]);
});

test("several stations have an inference each, the first on the port asked for", () => {
  const inferences = servicesOf(options, stationsOf(["A", "B"])).slice(-2);
  expect(inferences.map(({ name }) => name)).toEqual(["inference-A", "inference-B"]);
  expect(
    inferences.map(({ environment: { PORT, IDENTIFIER, POD_NAME } }) => [PORT, IDENTIFIER, POD_NAME]),
  ).toEqual([
    ["8023", "A", "inference-A"],
    ["0", "B", "inference-B"],
  ]);
});

test("preprocess is told the station and its files by name, whatever the environment says", () => {
  const spec = preprocessOf(options, { identifier: "A", dataset: "A" });
  expect(spec.name).toBe("preprocess-A");
  expect(spec.environment).toMatchObject({
    IDENTIFIER: "A",
    DATASET_NAME: "A",
    TRAIN_FILE: "",
    TEST_FILE: "",
  });
});

test("settings for trainers reach the trainers alone", () => {
  const specs = servicesOf({ ...options, trainerSettings: { LEARNING_RATE: "0.001" } }, single);
  const having = specs.filter(({ environment }) => environment["LEARNING_RATE"] === "0.001");
  expect(having.map(({ module }) => module)).toEqual(["@flts/train/main", "@flts/train/main"]);
});

test("settings that suit made-up measurements give way to the environment's", () => {
  expect(syntheticTraining({})).toHaveProperty("LEARNING_RATE");
  expect(syntheticTraining({ LEARNING_RATE: "0.5" })).not.toHaveProperty("LEARNING_RATE");
});
