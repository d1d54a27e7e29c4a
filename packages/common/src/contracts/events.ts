import { z } from "zod";
import { inferenceClaim, MESSAGE_VERSION, trainingClaim } from "./claim.ts";
import { promotion } from "./promotion.ts";
import { keyFor, type Topic } from "./topic.ts";

/** Every topic of the pipeline: its events, their fields and keys are the reference's (behaviour §2), with ids added. */

const trainingFields = {
  v: z.literal(MESSAGE_VERSION).default(MESSAGE_VERSION),
  experiment: z.string(),
  /** The model type, as in the reference. */
  run_name: z.string().min(1),
  config_hash: z.string(),
  identifier: z.string().default(""),
  round: z.string(),
  work_key: z.string(),
};

const trainingRunning = z.looseObject({
  ...trainingFields,
  operation: z.string().startsWith("Training Started: "),
  status: z.literal("RUNNING"),
});

const trainingSucceeded = z.looseObject({
  ...trainingFields,
  operation: z.string().startsWith("Trained: "),
  status: z.literal("SUCCESS"),
  run_id: z.string().min(1),
});

const trainingFailed = z.looseObject({
  ...trainingFields,
  operation: z.string().startsWith("Training Failed: "),
  status: z.literal("FAILED"),
  run_id: z.string().nullable(),
  code: z.string(),
  reason: z.string(),
});

const trainingEvent = z.discriminatedUnion("status", [trainingRunning, trainingSucceeded, trainingFailed]);
export type TrainingEvent = z.infer<typeof trainingEvent>;
export type TrainingOutcome = Exclude<TrainingEvent, { status: "RUNNING" }>;

const performanceEvent = z.looseObject({
  v: z.literal(MESSAGE_VERSION).default(MESSAGE_VERSION),
  operation: z.literal("Inference"),
  status: z.literal("SUCCESS"),
  identifier: z.string(),
  log_bucket: z.string(),
  log_object_key: z.string(),
  run_id: z.string(),
  model_type: z.string(),
  config_hash: z.string(),
  rows: z.number().int().nonnegative(),
  /** The promotion that it was forecast under, and which forecast it is: the same id as in the log's record. */
  epoch: z.number().int().positive().optional(),
  prediction_hash: z.string().optional(),
});

/** Asks trainers to fit; produced by preprocess. */
export const trainingData = {
  name: "training-data",
  schema: trainingClaim,
  keyOf: (claim) => keyFor("train-claim", claim.identifier),
} satisfies Topic<z.infer<typeof trainingClaim>>;

/** Brings the test table to inference; produced by preprocess. */
export const inferenceData = {
  name: "inference-data",
  schema: inferenceClaim,
  keyOf: (claim) => keyFor("inference-claim", claim.identifier),
} satisfies Topic<z.infer<typeof inferenceClaim>>;

/** What became of a training; produced by trainers, heard by eval. A training's events share a key, so they keep their order. */
export const modelTraining = {
  name: "model-training",
  schema: trainingEvent,
  keyOf: (event) => keyFor(`trained-${event.run_name}`, event.identifier),
} satisfies Topic<TrainingEvent>;

/** A new champion; produced by eval, heard by every inference replica. A hint: the head is the truth. */
export const modelSelected = {
  name: "model-selected",
  schema: promotion,
  keyOf: (event) => keyFor("promotion", event.identifier),
} satisfies Topic<z.infer<typeof promotion>>;

/** A batch forecast and where its log lies; produced by inference. */
export const performanceEval = {
  name: "performance-eval",
  schema: performanceEvent,
  keyOf: (event) => keyFor("performance", event.identifier),
} satisfies Topic<z.infer<typeof performanceEvent>>;

/** All topics that work flows through. Each consumed one has a `DLQ-<topic>` beside it. */
export const topics = [trainingData, inferenceData, modelTraining, modelSelected, performanceEval] as const;
