import { expect, test } from "vitest";
import {
  inferenceData,
  modelSelected,
  modelTraining,
  performanceEval,
  type TrainingEvent,
  topics,
  trainingData,
} from "../../src/contracts/events.ts";
import { emit, parseEvent, type Topic } from "../../src/contracts/topic.ts";
import { promotionOfEpoch } from "./documents.ts";

const training = {
  v: 1 as const,
  experiment: "FLTS",
  run_name: "LSTM",
  config_hash: "c",
  identifier: "ElBorn",
  round: "r",
  work_key: "w",
};
const running: TrainingEvent = { ...training, operation: "Training Started: LSTM", status: "RUNNING" };
const success: TrainingEvent = { ...training, operation: "Trained: LSTM", status: "SUCCESS", run_id: "7" };
const failed: TrainingEvent = {
  ...training,
  operation: "Training Failed: LSTM",
  status: "FAILED",
  run_id: null,
  code: "TRAINING_DIVERGED",
  reason: "the loss is NaN",
};
const performance = {
  v: 1 as const,
  operation: "Inference" as const,
  status: "SUCCESS" as const,
  identifier: "ElBorn",
  log_bucket: "inference-logs",
  log_object_key: "k",
  run_id: "7",
  model_type: "LSTM",
  config_hash: "c",
  rows: 30,
};

const roundTrip = <Event>(topic: Topic<Event>, event: Event): Event =>
  parseEvent(topic, Buffer.from(JSON.stringify(event)));

test.each([running, success, failed])("a training's $status event survives the log", (event) => {
  expect(roundTrip(modelTraining, event)).toEqual(event);
});

test("all events of a training share a key, so that they keep their order", () => {
  expect(new Set([running, success, failed].map(modelTraining.keyOf))).toEqual(
    new Set(["trained-LSTM/ElBorn"]),
  );
});

test.each([
  ["a SUCCESS without its run", { ...success, run_id: undefined }],
  ["a FAILED without its reason", { ...failed, reason: undefined }],
  ["an unknown status", { ...success, status: "DONE" }],
  ["an operation that contradicts the status", { ...success, operation: "Training Started: LSTM" }],
])("%s is no training event", (_name, event) => {
  expect(modelTraining.schema.safeParse(event).success).toBe(false);
});

test("a promotion and a performance event survive the log", () => {
  const promotion = promotionOfEpoch(2);
  expect(roundTrip(modelSelected, promotion)).toEqual(promotion);
  expect(roundTrip(performanceEval, performance)).toEqual(performance);
});

test("keys are the reference's for its only station, and carry the station otherwise", () => {
  const claim = { v: 1 as const, bucket: "b", object: "o", size: 1, config_hash: "" };
  const keysOf = (identifier: string): string[] => [
    emit(trainingData, { ...claim, identifier }).key,
    emit(inferenceData, { ...claim, identifier }).key,
    emit(modelTraining, { ...success, identifier }).key,
    emit(modelSelected, { ...promotionOfEpoch(1), identifier }).key,
    emit(performanceEval, { ...performance, identifier }).key,
  ];
  const reference = ["train-claim", "inference-claim", "trained-LSTM", "promotion", "performance"];
  expect(keysOf("")).toEqual(reference);
  expect(keysOf("ElBorn")).toEqual(reference.map((key) => `${key}/ElBorn`));
});

test("the topics have the reference's names", () => {
  expect(topics.map(({ name }) => name)).toEqual([
    "training-data",
    "inference-data",
    "model-training",
    "model-selected",
    "performance-eval",
  ]);
});
