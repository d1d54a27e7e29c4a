import { FltsError } from "@flts/common/contracts/errors";
import { quantileOfSorted } from "@flts/common/scaler/quantile";
import { integerFrom, seededUniform } from "../random.ts";

/** A difference of mean losses on the same rows; negative means that the first forecaster is better. */
export interface LossComparison {
  readonly difference: number;
  /** The interval of `confidence` around it. */
  readonly low: number;
  readonly high: number;
  /** Two-sided: how often chance alone would show a difference as large. */
  readonly p: number;
  readonly rows: number;
  readonly blockLength: number;
}

export interface BootstrapOptions {
  readonly seed: number;
  /** Default 0.9. */
  readonly confidence?: number;
  /** Default 2,000. */
  readonly resamples?: number;
  /** Rows in a block; by default it grows with the cube root of the rows, as is optimal for a mean (P. Hall et al., 1995). */
  readonly blockLength?: number;
}

/** Twice the cube root: losses of traffic stay alike for about an hour, thirty rows, in a score part of some thousand rows. */
export const defaultBlockLength = (rows: number): number => Math.min(rows, Math.ceil(2 * Math.cbrt(rows)));

/**
 * Compares two forecasters' losses row by row by the moving-block bootstrap (H. Künsch, 1989), which keeps neighbouring rows
 * together because their losses are alike.
 * @param first `[rows]` losses, such as those of `rowLosses`
 * @param second `[rows]` losses of the same rows
 * @throws TABLE_INVALID for unequal lengths, nothing, or losses that are not finite
 */
export function compareLosses(
  first: Float64Array,
  second: Float64Array,
  {
    seed,
    confidence = 0.9,
    resamples = 2000,
    blockLength = defaultBlockLength(first.length),
  }: BootstrapOptions,
): LossComparison {
  const rows = first.length;
  const differences = first.map((loss, row) => loss - second[row]!);
  if (rows === 0 || rows !== second.length) {
    throw new FltsError(
      "TABLE_INVALID",
      `losses of ${rows} and ${second.length} rows cannot be compared row by row`,
    );
  }
  const broken = differences.findIndex((loss) => !Number.isFinite(loss));
  if (broken >= 0) {
    throw new FltsError(
      "TABLE_INVALID",
      `losses ${first[broken]} and ${second[broken]} of row ${broken} cannot be compared: values are missing, or too large to be squared`,
    );
  }
  const sums = prefixSums(differences);
  const difference = sums[rows]! / rows;
  const means = resampleMeans(sums, rows, blockLength, resamples, seed).toSorted();
  const tail = (1 - confidence) / 2;
  return {
    difference,
    low: quantileOfSorted(means, tail),
    high: quantileOfSorted(means, 1 - tail),
    p: twoSided(means, difference),
    rows,
    blockLength,
  };
}

/** Means of `resamples` series of `rows` values, each put together from blocks drawn with repetition. */
function resampleMeans(
  sums: Float64Array,
  rows: number,
  blockLength: number,
  resamples: number,
  seed: number,
): Float64Array {
  const uniform = seededUniform(seed);
  const starts = rows - blockLength + 1;
  const blockMean = meanOfBlocks(sums, rows, blockLength);
  const overall = sums[rows]! / rows;
  return new Float64Array(resamples).map(() => {
    let sum = 0;
    for (let drawn = 0; drawn < rows; drawn += blockLength) {
      const length = Math.min(blockLength, rows - drawn);
      const start = integerFrom(uniform, starts);
      sum += sums[start + length]! - sums[start]!;
    }
    // Blocks reach the first and the last rows less often than the others; this takes that bias out of the centre.
    return sum / rows - blockMean + overall;
  });
}

/** What a resampled mean is on average. */
function meanOfBlocks(sums: Float64Array, rows: number, blockLength: number): number {
  const starts = rows - blockLength + 1;
  const rest = rows % blockLength;
  const whole = rows - rest;
  const meanOfLength = (length: number) => {
    let sum = 0;
    for (let start = 0; start < starts; start++) sum += sums[start + length]! - sums[start]!;
    return sum / starts;
  };
  return ((whole / blockLength) * meanOfLength(blockLength) + (rest === 0 ? 0 : meanOfLength(rest))) / rows;
}

/** The share of resamples at least as far from their centre as 0 is, counted on both sides. */
function twoSided(sortedMeans: Float64Array, difference: number): number {
  const far = sortedMeans.reduce(
    (count, mean) => count + Number(Math.abs(mean - difference) >= Math.abs(difference)),
    0,
  );
  return (far + 1) / (sortedMeans.length + 1);
}

function prefixSums(values: Float64Array): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (const [index, value] of values.entries()) sums[index + 1] = sums[index]! + value;
  return sums;
}
