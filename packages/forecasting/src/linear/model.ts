import type { Forecaster } from "../forecaster.ts";

/**
 * A linear auto-regression as plain JSON: everything a graph needs to answer as `predictLinear` does. All arrays follow
 * `columns` or `targets`; `weights[row][column][target]` belongs to the window's row (0 is the oldest).
 *
 *   x = NaN ? fill : raw
 *   z = log ? log1p(max(x, 0) · unit) : x
 *   g = min(intercept + Σ weights · z, ceiling)
 *   f = log ? max(expm1(g), 0) : g
 *   forecast = last · (target's x in the last row) + model · f, and at least 0 where the target is one of logarithms
 */
export interface LinearModel {
  readonly columns: readonly string[];
  readonly targets: readonly string[];
  readonly window: number;
  readonly inputs: readonly LinearInput[];
  readonly weights: readonly (readonly (readonly number[])[])[];
  readonly outputs: readonly LinearOutput[];
}

export interface LinearInput {
  /** The mean of the fit rows, for a missing cell. Raw units. */
  readonly fill: number;
  readonly log: boolean;
  /** Raises small quantities so that log1p is a logarithm for usual values; 1 for targets. */
  readonly unit: number;
}

export interface LinearOutput {
  readonly intercept: number;
  /** The target's largest z among the fit rows: a line must not run away exponentially. */
  readonly ceiling: number;
  readonly log: boolean;
  /** Shares of the last value and of the model: they turn a median of logarithms into a mean, fitted on the fit rows. */
  readonly last: number;
  readonly model: number;
  /** The ridge penalty that the stop rows chose. */
  readonly lambda: number;
}

/** The next step after each window `[n, window, columns]` in raw units: `[n, targets]`, raw units, finite. */
export function predictLinear(model: LinearModel, windows: Float64Array): Float64Array {
  const { columns, targets, window, outputs } = model;
  const size = window * columns.length;
  const count = windows.length / size;
  const weights = Float64Array.from(model.weights.flat(2));
  const answers = new Float64Array(count * targets.length);
  const lastRow = (window - 1) * columns.length;
  const targetColumns = targets.map((target) => columns.indexOf(target));
  const z = new Float64Array(size);
  for (let index = 0; index < count; index++) {
    const rows = windows.subarray(index * size, (index + 1) * size);
    transformWindow(model.inputs, rows, z);
    for (const [target, output] of outputs.entries()) {
      const column = targetColumns[target]!;
      const last = filled(rows[lastRow + column]!, model.inputs[column]!.fill);
      const answer =
        output.last * last + output.model * modelPart(z, weights, target, outputs.length, output);
      answers[index * targets.length + target] = output.log ? Math.max(answer, 0) : answer;
    }
  }
  return answers;
}

/** `predictLinear` as a forecaster of one step, on the grid the model was trained on. */
export function linearForecaster(model: LinearModel, stepMs: number): Forecaster {
  const { columns, targets, window } = model;
  return {
    columns,
    targets,
    window,
    horizon: 1,
    stepMs,
    predict: async (windows) => predictLinear(model, windows),
    close: async () => {},
  };
}

/** Raw cells as the features z, row-major; `into` has as many cells as `rows`. */
export function transformWindow(
  inputs: readonly LinearInput[],
  rows: Float64Array,
  into: Float64Array,
): void {
  for (let index = 0; index < rows.length; index++) {
    const { fill, log, unit } = inputs[index % inputs.length]!;
    const value = filled(rows[index]!, fill);
    into[index] = log ? Math.log1p(Math.max(value, 0) * unit) : value;
  }
}

/** What the weights alone say of a target: f in the formulas above. */
export function modelPart(
  z: Float64Array,
  weights: Float64Array,
  target: number,
  targets: number,
  { intercept, ceiling, log }: Pick<LinearOutput, "intercept" | "ceiling" | "log">,
): number {
  let sum = intercept;
  for (let index = 0; index < z.length; index++) sum += z[index]! * weights[index * targets + target]!;
  const g = Math.min(sum, ceiling);
  return log ? Math.max(Math.expm1(g), 0) : g;
}

const filled = (value: number, fill: number) => (Number.isNaN(value) ? fill : value);
