import type { Forecaster } from "../forecaster.ts";

/**
 * A linear auto-regression as plain JSON: everything a graph needs to answer as `predictLinear` does. All arrays follow
 * `columns` or `targets`; a part's `weights[row][column]` belong to the window's row (0 is the oldest).
 *
 *   x = NaN ? fill : raw
 *   z = unit > 0 ? log1p(max(x, 0) · unit) : x
 *   forecast = last · (target's x in the last row) + Σ share · part, and at least `minimum`
 *
 *   part, by its link:   log        exp(min(intercept + Σ weights · z, ceiling))
 *                        cube-root  max(min(intercept + Σ weights · ∛max(x, 0), ceiling), 0)³
 *                        identity   min(intercept + Σ weights · z, ceiling)
 */
export interface LinearModel {
  readonly columns: readonly string[];
  readonly targets: readonly string[];
  readonly window: number;
  readonly inputs: readonly LinearInput[];
  readonly outputs: readonly LinearOutput[];
}

export interface LinearInput {
  /** The mean of the rows fitted on, for a missing cell. Raw units. */
  readonly fill: number;
  /** Raises small quantities so that log1p is a logarithm for usual values; 0 for a column taken as it is. */
  readonly unit: number;
}

export interface LinearOutput {
  /** The share of the last value in the forecast. */
  readonly last: number;
  /** Nothing below this is forecast: 0, or null for a target that can be negative. */
  readonly minimum: number | null;
  readonly parts: readonly LinearPart[];
}

/** In whose units a part is linear. */
export const links = ["log", "cube-root", "identity"] as const;
export type Link = (typeof links)[number];

export interface LinearPart {
  readonly link: Link;
  readonly share: number;
  readonly intercept: number;
  /** The largest answer among the rows fitted on, in the link's units: a line must not run away. */
  readonly ceiling: number;
  readonly weights: readonly (readonly number[])[];
}

/** The next step after each window `[n, window, columns]` in raw units: `[n, targets]`, raw units, finite. */
export function predictLinear(model: LinearModel, windows: Float64Array): Float64Array {
  const { inputs, targets, window, columns, outputs } = model;
  const size = window * columns.length;
  const count = windows.length / size;
  const features = { plain: transformWindows(inputs, windows), roots: rootsOf(inputs, windows) };
  const answers = new Float64Array(count * targets.length);
  for (const [target, { last, minimum, parts }] of outputs.entries()) {
    const column = columns.indexOf(targets[target]!);
    const { fill } = inputs[column]!;
    const flat = parts.map((part) => Float64Array.from(part.weights.flat()));
    for (let index = 0; index < count; index++) {
      const from = index * size;
      let answer = last * filled(windows[from + size - columns.length + column]!, fill);
      for (const [number, part] of parts.entries()) {
        const source = part.link === "cube-root" ? features.roots : features.plain;
        const sum = part.intercept + dot(source, from, flat[number]!);
        answer += part.share * undo(part.link, Math.min(sum, part.ceiling));
      }
      answers[index * targets.length + target] = minimum === null ? answer : Math.max(answer, minimum);
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

/** Rows of raw cells, row-major, as the z of the formulas. */
export function transformWindows(inputs: readonly LinearInput[], rows: Float64Array): Float64Array {
  return rows.map((cell, index) => {
    const { fill, unit } = inputs[index % inputs.length]!;
    const x = filled(cell, fill);
    return unit > 0 ? Math.log1p(Math.max(x, 0) * unit) : x;
  });
}

/** Rows of raw cells, row-major, as cube roots. */
export function rootsOf(inputs: readonly LinearInput[], rows: Float64Array): Float64Array {
  return rows.map((cell, index) => Math.cbrt(Math.max(filled(cell, inputs[index % inputs.length]!.fill), 0)));
}

function undo(link: Link, sum: number): number {
  if (link === "log") return Math.exp(sum);
  return link === "cube-root" ? Math.max(sum, 0) ** 3 : sum;
}

function dot(features: Float64Array, from: number, weights: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < weights.length; index++) sum += features[from + index]! * weights[index]!;
  return sum;
}

const filled = (value: number, fill: number) => (Number.isNaN(value) ? fill : value);
