import { FltsError } from "@flts/common/contracts/errors";

/** What least squares needs to know of data: computed once, solved for as many penalties as one likes. */
export interface Moments {
  readonly width: number;
  readonly outputs: number;
  /** `[width]` each; a constant feature has deviation 1 and no say. */
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
  /** Correlations of the features, `[width, width]`. */
  readonly gram: Float64Array;
  /** Covariances of the standardised features with the answers, `[width, outputs]`. */
  readonly cross: Float64Array;
  readonly answerMean: Float64Array;
}

/** `answer = intercept + features · weights`, in the units of the data. */
export interface LinearMap {
  /** `[width, outputs]`, row-major. */
  readonly weights: Float64Array;
  /** `[outputs]` */
  readonly intercept: Float64Array;
}

/**
 * Means, deviations and correlations of `features` `[n, width]` and `answers` `[n, outputs]`, both row-major and finite.
 * @throws TABLE_TOO_SHORT without rows
 */
export function momentsOf(
  features: Float64Array,
  answers: Float64Array,
  width: number,
  outputs: number,
): Moments {
  const rows = answers.length / outputs;
  if (rows === 0) throw new FltsError("TABLE_TOO_SHORT", "least squares need at least one row");
  const { mean, deviation } = columnMoments(features, rows, width);
  const answerMean = columnMoments(answers, rows, outputs).mean;
  const gram = new Float64Array(width * width);
  const cross = new Float64Array(width * outputs);
  const row = new Float64Array(width);
  for (let index = 0; index < rows; index++) {
    for (let i = 0; i < width; i++) row[i] = (features[index * width + i]! - mean[i]!) / deviation[i]!;
    for (let i = 0; i < width; i++) {
      const value = row[i]!;
      for (let j = 0; j <= i; j++) gram[i * width + j]! += value * row[j]!;
      for (let k = 0; k < outputs; k++) {
        cross[i * outputs + k]! += value * (answers[index * outputs + k]! - answerMean[k]!);
      }
    }
  }
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) gram[j * width + i] = gram[i * width + j]! /= rows;
  }
  return { width, outputs, mean, deviation, gram, cross: cross.map((value) => value / rows), answerMean };
}

/**
 * Ridge regression in closed form: minimises mean squared error + lambda · |standardised weights|² (A. Hoerl, R. Kennard,
 * 1970) by Cholesky's factorisation of the normal equations. The intercept is not penalised. `lambda` > 0.
 */
export function solveRidge(moments: Moments, lambda: number): LinearMap {
  const { width, outputs, mean, deviation, gram, cross, answerMean } = moments;
  const factor = choleskyOf(gram, width, lambda, lambda);
  const weights = new Float64Array(width * outputs);
  const intercept = answerMean.slice();
  for (let k = 0; k < outputs; k++) {
    const column = Float64Array.from({ length: width }, (_, i) => cross[i * outputs + k]!);
    solveTriangles(factor, column, width);
    for (let i = 0; i < width; i++) {
      const weight = column[i]! / deviation[i]!;
      weights[i * outputs + k] = weight;
      intercept[k]! -= weight * mean[i]!;
    }
  }
  return { weights, intercept };
}

/** The solution x of `matrix · x = b` for a symmetric positive matrix `[n, n]`. */
export function solvePositive(matrix: Float64Array, b: Float64Array): Float64Array {
  const solution = b.slice();
  solveTriangles(choleskyOf(matrix, b.length, 0, Number.EPSILON), solution, b.length);
  return solution;
}

/** Mean and deviation of each column of `values` `[rows, width]`; a constant column has deviation 1. */
export function columnMoments(
  values: Float64Array,
  rows: number,
  width: number,
): { mean: Float64Array; deviation: Float64Array } {
  const mean = new Float64Array(width);
  const deviation = new Float64Array(width);
  for (let index = 0; index < values.length; index++) mean[index % width]! += values[index]! / rows;
  for (let index = 0; index < values.length; index++) {
    deviation[index % width]! += (values[index]! - mean[index % width]!) ** 2 / rows;
  }
  // Below this, a deviation is the rounding of a constant.
  const isConstant = (spread: number, column: number) =>
    spread <= 1e-12 * (Math.abs(mean[column]!) + Number.MIN_VALUE);
  return {
    mean,
    deviation: deviation.map((square, column) =>
      isConstant(Math.sqrt(square), column) ? 1 : Math.sqrt(square),
    ),
  };
}

/** The lower triangle L of `gram + lambda·I = L·Lᵀ`, whose squared pivots are known to be at least `least`. */
function choleskyOf(gram: Float64Array, width: number, lambda: number, least: number): Float64Array {
  const lower = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = gram[i * width + j]! + (i === j ? lambda : 0);
      for (let k = 0; k < j; k++) sum -= lower[i * width + k]! * lower[j * width + k]!;
      // Rounding can push the last pivots of collinear features below the bound they are known to keep.
      lower[i * width + j] = i === j ? Math.sqrt(Math.max(sum, least)) : sum / lower[j * width + j]!;
    }
  }
  return lower;
}

/** Solves L·Lᵀ·x = b in place. */
function solveTriangles(lower: Float64Array, b: Float64Array, width: number): void {
  for (let i = 0; i < width; i++) {
    for (let k = 0; k < i; k++) b[i]! -= lower[i * width + k]! * b[k]!;
    b[i]! /= lower[i * width + i]!;
  }
  for (let i = width - 1; i >= 0; i--) {
    for (let k = i + 1; k < width; k++) b[i]! -= lower[k * width + i]! * b[k]!;
    b[i]! /= lower[i * width + i]!;
  }
}
