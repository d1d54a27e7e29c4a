import { encodeModel } from "../graph/model.ts";
import { float32, int32 } from "../graph/tensor.ts";
import type { Network } from "../networks/network.ts";
import { openSession, type SessionSettings, type Tensors } from "../session/session.ts";
import { type AdamState, adamStep } from "./adam.ts";
import { type TrainingGraphSettings, trainingGraph } from "./training-graph.ts";
import { batchArrays, fillBatch } from "./windows.ts";

/** The table to learn from; it stays where it is, and batches name its rows. */
export interface TrainingData {
  /** [rows, features], row-major, scaled. */
  readonly features: Float32Array;
  /** [rows, targets], row-major, scaled. */
  readonly targets: Float32Array;
}

/** What one step measured, on the parameters before its update. */
export interface StepResult {
  /** Mean squared error of the batch. */
  readonly loss: number;
  /** Mean absolute error of the batch. */
  readonly absoluteError: number;
  /** 2-norm of the gradient before clipping. */
  readonly gradientNorm: number;
}

/** A network in training. Steps must follow one another; each blocks its thread for some milliseconds. */
export interface TrainingSession {
  /** Trains on the windows that begin at the rows `starts`: one batch at most. */
  step(starts: Int32Array, learningRate: number): Promise<StepResult>;
  /** Parameters and moments after the last step, flat: a view that the step after next overwrites. */
  state(): AdamState<Float32Array>;
  close(): Promise<void>;
}

/**
 * Prepares training. Parameters and moments live in two sets of preallocated arrays that swap roles: a step reads one set
 * and writes the other.
 *
 * @param initial  all parameters, flat, in the network's order
 */
export async function openTraining(
  network: Network,
  settings: TrainingGraphSettings,
  data: TrainingData,
  initial: Float32Array,
  resources: SessionSettings = {},
): Promise<TrainingSession> {
  const { rows, features, targets, batch, window, horizon } = settings;
  const session = await openSession(encodeModel(trainingGraph(network, settings)), resources);
  const [drawn, stepSize, epsilon] = [batchArrays(settings), scalar(), scalar()];
  const [loss, absoluteError, gradientNorm] = [scalar(), scalar(), scalar()];
  const feeds = {
    features: float32([rows, features], data.features),
    targets: float32([rows, targets], data.targets),
    windowRows: int32([batch, window], drawn.windowRows),
    targetRows: int32([batch, horizon], drawn.targetRows),
    rowWeights: float32([batch, 1], drawn.rowWeights),
    stepSize,
    epsilon,
  };
  const results = { loss, absoluteError, gradientNorm };
  const even = newState(initial);
  const odd = newState(new Float32Array(initial.length));
  const fromEven = session.bind({ ...feeds, ...asInputs(even) }, { ...results, ...asOutputs(odd) });
  const fromOdd = session.bind({ ...feeds, ...asInputs(odd) }, { ...results, ...asOutputs(even) });

  let steps = 0;
  return {
    async step(starts, learningRate) {
      fillBatch(drawn, settings, starts);
      const scalars = adamStep(steps + 1, learningRate);
      stepSize.data[0] = scalars.stepSize;
      epsilon.data[0] = scalars.epsilon;
      await (steps % 2 === 0 ? fromEven() : fromOdd());
      steps += 1;
      const [mse = Number.NaN, mae = Number.NaN, norm = Number.NaN] = [
        loss.data[0],
        absoluteError.data[0],
        gradientNorm.data[0],
      ];
      return { loss: mse, absoluteError: mae, gradientNorm: norm };
    },
    state: () => (steps % 2 === 0 ? even : odd),
    close: () => session.close(),
  };
}

const scalar = () => float32([], new Float32Array(1));

const newState = (parameters: Float32Array): AdamState<Float32Array> => ({
  parameters: parameters.slice(),
  first: new Float32Array(parameters.length),
  second: new Float32Array(parameters.length),
});

const asInputs = ({ parameters, first, second }: AdamState<Float32Array>): Tensors => ({
  parameters: vector(parameters),
  first: vector(first),
  second: vector(second),
});

const asOutputs = ({ parameters, first, second }: AdamState<Float32Array>): Tensors => ({
  nextParameters: vector(parameters),
  nextFirst: vector(first),
  nextSecond: vector(second),
});

const vector = (data: Float32Array) => float32([data.length], data);
