import { FltsError } from "@flts/common/contracts/errors";
import { meanOf } from "@flts/common/scaler/sum";
import { columnMoments, type LinearMap, solvePositive } from "./least-squares.ts";

/**
 * The variance of an answer grows with this power of its mean: between 1 (Poisson) and 2 (gamma) lies a sum of random many
 * bursts, which is what traffic is, zeros included.
 */
const POWER = 1.5;
/** Exponents beyond this are no traffic; it keeps the first steps of the iteration finite. */
const MOST = 30;
const ITERATIONS = 50;
const TOLERANCE = 1e-10;

/**
 * Tweedie regression with a logarithmic link (M. Tweedie, 1984; P. McCullagh, J. Nelder, "Generalized linear models", 1989, §9):
 * answer ≈ exp(intercept + features · weights). Unlike least squares on logarithms it estimates the mean, not the median, and a
 * zero is an answer like any other. Minimises mean deviance + lambda/2 · |standardised weights|² by Fisher scoring with step
 * halving, in the units of the mean answer. The intercept is not penalised.
 * @param features `[n, width]`, row-major, finite
 * @param answers `[n]`, at least 0, not all of them 0
 * @param lambda above 0
 * @throws TABLE_TOO_SHORT without a positive answer
 */
export function fitTweedie(
  features: Float64Array,
  answers: Float64Array,
  width: number,
  lambda: number,
): LinearMap {
  const unit = answers.length === 0 ? 0 : meanOf(answers);
  if (!(unit > 0)) throw new FltsError("TABLE_TOO_SHORT", "a Tweedie regression needs a positive answer");
  const { mean, deviation } = columnMoments(features, answers.length, width);
  const standard = features.map((value, index) => (value - mean[index % width]!) / deviation[index % width]!);
  const scaled = answers.map((answer) => answer / unit);

  let weights = new Float64Array(width + 1); // the intercept is the last; exp(0) is the mean
  let loss = lossOf(standard, scaled, weights, lambda);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const step = scoringStep(standard, scaled, weights, lambda);
    let length = 1;
    let next = weights;
    let nextLoss = Number.POSITIVE_INFINITY;
    for (; length > 1e-6 && !(nextLoss < loss); length /= 2) {
      next = weights.map((weight, index) => weight + length * step[index]!);
      nextLoss = lossOf(standard, scaled, next, lambda);
    }
    if (!(nextLoss < loss)) break;
    const gain = loss - nextLoss;
    weights = next;
    loss = nextLoss;
    if (gain <= TOLERANCE * Math.abs(loss)) break;
  }

  const raw = weights.subarray(0, width).map((weight, index) => weight / deviation[index]!);
  const shift = raw.reduce((sum, weight, index) => sum + weight * mean[index]!, 0);
  return { weights: raw, intercept: Float64Array.of(Math.log(unit) + weights[width]! - shift) };
}

/** Half the mean deviance, constants left out, and the penalty. */
function lossOf(
  features: Float64Array,
  answers: Float64Array,
  weights: Float64Array,
  lambda: number,
): number {
  const width = weights.length - 1;
  let deviance = 0;
  for (let row = 0; row < answers.length; row++) {
    const mean = Math.exp(exponentOf(features, row, weights));
    deviance += mean ** (2 - POWER) / (2 - POWER) + (answers[row]! * mean ** (1 - POWER)) / (POWER - 1);
  }
  let squares = 0;
  for (let index = 0; index < width; index++) squares += weights[index]! ** 2;
  return deviance / answers.length + (lambda / 2) * squares;
}

/** The step to the solution of the expected second-order approximation. */
function scoringStep(
  features: Float64Array,
  answers: Float64Array,
  weights: Float64Array,
  lambda: number,
): Float64Array {
  const size = weights.length;
  const width = size - 1;
  const gradient = new Float64Array(size);
  const information = new Float64Array(size * size);
  for (let row = 0; row < answers.length; row++) {
    const mean = Math.exp(exponentOf(features, row, weights));
    const weight = mean ** (2 - POWER) / answers.length;
    const slope = ((answers[row]! - mean) * mean ** (1 - POWER)) / answers.length;
    for (let i = 0; i < size; i++) {
      const value = i === width ? 1 : features[row * width + i]!;
      gradient[i]! += slope * value;
      const weighted = weight * value;
      const line = i * size;
      for (let j = 0; j < i; j++) information[line + j]! += weighted * features[row * width + j]!;
      information[line + i]! += weighted * value;
    }
  }
  for (let i = 0; i < size; i++) {
    if (i < width) {
      gradient[i]! -= lambda * weights[i]!;
      information[i * size + i]! += lambda;
    }
    for (let j = 0; j < i; j++) information[j * size + i] = information[i * size + j]!;
  }
  return solvePositive(information, gradient);
}

function exponentOf(features: Float64Array, row: number, weights: Float64Array): number {
  const width = weights.length - 1;
  let sum = weights[width]!;
  for (let index = 0; index < width; index++) sum += features[row * width + index]! * weights[index]!;
  return Math.max(-MOST, Math.min(sum, MOST));
}
