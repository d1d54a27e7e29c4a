/** Enough for what a dozen alike members need; each costs members² multiplications. */
const MAX_STEPS = 20_000;
const STANDSTILL = 1e-12;
/** A smaller weight changes no forecast that anyone could tell. */
const LEAST_WEIGHT = 1e-3;

/**
 * The weights of a mean of forecasts with the least squared error: none negative, their sum 1 (stacked regression of L. Breiman, 1996, with the sum fixed).
 * Because of that sum the mean's error is the weighted mean of the members' errors, and the problem a small quadratic one: projected gradient with the
 * momentum of A. Beck and M. Teboulle (FISTA, 2009).
 * @param errors of each member on the same rows, `[rows]` each; one member at least
 */
export function leastErrorWeights(errors: readonly Float64Array[]): number[] {
  const products = errors.map((left) => errors.map((right) => dot(left, right)));
  // No eigenvalue of a positive semi-definite matrix is above its trace.
  const steepest = products.reduce((trace, row, index) => trace + row[index]!, 0);
  let weights = errors.map(() => 1 / errors.length);
  if (steepest > 0) {
    let ahead = weights;
    let momentum = 1;
    for (let step = 0; step < MAX_STEPS; step++) {
      const next = ontoSimplex(
        ahead.map((weight, index) => weight - dot(products[index]!, ahead) / steepest),
      );
      const change = next.map((weight, index) => weight - weights[index]!);
      weights = next;
      if (change.every((one) => Math.abs(one) < STANDSTILL)) break;
      const gained = (1 + Math.sqrt(1 + 4 * momentum ** 2)) / 2;
      ahead = next.map((weight, index) => weight + ((momentum - 1) / gained) * change[index]!);
      momentum = gained;
    }
  }
  const kept = weights.map((weight) => (weight < LEAST_WEIGHT ? 0 : weight));
  const sum = kept.reduce((total, weight) => total + weight, 0);
  return kept.map((weight) => weight / sum);
}

/** The nearest point without negative coordinates and with sum 1 (J. Duchi et al., 2008, figure 1). */
function ontoSimplex(point: readonly number[]): number[] {
  let sum = 0;
  let shift = 0;
  for (const [index, value] of point.toSorted((a, b) => b - a).entries()) {
    sum += value;
    const candidate = (sum - 1) / (index + 1);
    if (value > candidate) shift = candidate;
  }
  return point.map((value) => Math.max(value - shift, 0));
}

function dot(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < left.length; index++) sum += left[index]! * right[index]!;
  return sum;
}
