import { TrainingError } from "./error.ts";
import type { StepResult, TrainingSession } from "./training-session.ts";

/** Errors of forecasts, in scaled units. */
export interface ErrorFigures {
  readonly mse: number;
  readonly rmse: number;
  readonly mae: number;
}

/** A loss beyond this multiple of the first one is on its way to infinity: scaled targets are of order one. */
const explosion = 1e4;

/** Watches losses for a training that has left the ground. */
export interface DivergenceGuard {
  /** @throws TrainingError TRAINING_DIVERGED when a loss is no number or has exploded */
  check(loss: number, where: string): void;
}

export function divergenceGuard(learningRate: number): DivergenceGuard {
  let first: number | undefined;
  return {
    check(loss, where) {
      first ??= loss;
      if (Number.isFinite(loss) && loss <= explosion * Math.max(1, first)) return;
      throw new TrainingError(
        "TRAINING_DIVERGED",
        `the loss is ${loss} ${where}, after ${first} in the first step: lower learningRate=${learningRate} or set clipNorm`,
      );
    },
  };
}

/**
 * One pass over the windows that begin at `starts`, in that order, in batches of `batchSize`; the last may be shorter.
 *
 * Each step gives the event loop a turn before it computes, so that signals, timers and messages are served between steps.
 *
 * @returns errors of the forecasts made on the way, each by the weights of its step
 * @throws the signal's reason once it has aborted; TrainingError TRAINING_DIVERGED
 */
export async function trainEpoch(pass: {
  readonly session: TrainingSession;
  readonly starts: Int32Array;
  readonly batchSize: number;
  readonly learningRateOf: (step: number) => number;
  readonly guard: DivergenceGuard;
  readonly signal: AbortSignal | undefined;
}): Promise<ErrorFigures> {
  const { session, starts, batchSize } = pass;
  let [squared, absolute] = [0, 0];
  for (let done = 0, step = 0; done < starts.length; done += batchSize, step += 1) {
    pass.signal?.throwIfAborted();
    const batch = starts.subarray(done, done + batchSize);
    const result: StepResult = await session.step(batch, pass.learningRateOf(step));
    pass.guard.check(result.loss, `in step ${step + 1} of the epoch`);
    squared += result.loss * batch.length;
    absolute += result.absoluteError * batch.length;
  }
  return figures(squared / starts.length, absolute / starts.length);
}

/** Errors of forecasts against the rows of `targets` that follow their windows. */
export function forecastErrors(
  forecasts: Float32Array,
  starts: Int32Array,
  truth: {
    readonly targets: Float32Array;
    readonly columns: number;
    readonly window: number;
    readonly horizon: number;
  },
): ErrorFigures {
  const { targets, columns, window, horizon } = truth;
  const outputs = horizon * columns;
  let [squared, absolute] = [0, 0];
  for (const [index, start] of starts.entries()) {
    for (let output = 0; output < outputs; output += 1) {
      const error =
        (forecasts[index * outputs + output] ?? 0) - (targets[(start + window) * columns + output] ?? 0);
      squared += error * error;
      absolute += Math.abs(error);
    }
  }
  const count = starts.length * outputs;
  return figures(squared / count, absolute / count);
}

const figures = (mse: number, mae: number): ErrorFigures => ({ mse, rmse: Math.sqrt(mse), mae });
