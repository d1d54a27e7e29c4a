import { FltsError } from "@flts/common/contracts/errors";

/** Prophet's Stan model with its data, by our names. */
export interface StanProblem {
  readonly growth: "linear" | "flat";
  /** Times in [0, 1], rising. `[rows]` */
  readonly times: Float64Array;
  /** Divided by its largest absolute value. `[rows]` */
  readonly series: Float64Array;
  /** Where the rate may change, each in [0, 1]; one at least. */
  readonly changepoints: readonly number[];
  /** One row of terms each, of equal length; a column at least. */
  readonly terms: readonly (readonly number[])[];
  readonly multiplicative: boolean;
  /** The priors' scales: one for each term, and of the changes of the rate. */
  readonly termScales: readonly number[];
  readonly changeScale: number;
  /** Where to start. */
  readonly rate: number;
  readonly offset: number;
}

export interface StanSolution {
  readonly rate: number;
  readonly offset: number;
  /** One for each changepoint. */
  readonly changes: Float64Array;
  /** One for each term. */
  readonly coefficients: Float64Array;
  readonly noise: number;
}

/** Prophet's own, and what is tried after it. Newton's method, Prophet's second choice, only traps in this build of Stan. */
const ALGORITHMS = ["lbfgs", "bfgs"] as const;
const MAX_ITERATIONS = 10_000;
/** Nothing is drawn, for the starting point is given; but without a seed Stan takes one from a clock. */
const SEED = 1;

/**
 * The most probable parameters: the optimization that Prophet itself runs, in Stan compiled to WebAssembly. It computes for seconds without yielding.
 * @throws TRAINING_DIVERGED when it finds none, as for a few rows that a line can meet exactly
 */
export async function solve(problem: StanProblem): Promise<StanSolution> {
  // Compiling it takes memory that only a training should pay for.
  const { optimizer } = await import("@bsull/augurs-prophet-wasmstan");
  const data = JSON.stringify(stanData(problem));
  const start = {
    k: problem.rate,
    m: problem.offset,
    delta: new Float64Array(problem.changepoints.length),
    beta: new Float64Array(problem.termScales.length),
    sigmaObs: 1,
  };
  let fault: unknown;
  for (const algorithm of ALGORITHMS) {
    try {
      const { k, m, delta, beta, sigmaObs } = optimizer.optimize(start, data, {
        algorithm,
        seed: SEED,
        iter: MAX_ITERATIONS,
        jacobian: false,
      }).params;
      if ([k, m, sigmaObs, ...delta, ...beta].every(Number.isFinite))
        return { rate: k, offset: m, changes: delta, coefficients: beta, noise: sigmaObs };
      fault = new Error(`${algorithm} ended with parameters that are not finite`);
    } catch (error) {
      fault = error;
    }
  }
  throw new FltsError(
    "TRAINING_DIVERGED",
    `Prophet's parameters were not found for ${problem.times.length} rows: give more rows, or fewer changepoints`,
    fault,
  );
}

/** The `data` block of Prophet's `prophet.stan`, by its names. */
function stanData(problem: StanProblem): Record<string, unknown> {
  const { growth, times, series, changepoints, terms, multiplicative, termScales, changeScale } = problem;
  return {
    T: times.length,
    y: Array.from(series),
    t: Array.from(times),
    cap: Array.from(times, () => 0),
    S: changepoints.length,
    t_change: changepoints,
    trend_indicator: growth === "linear" ? 0 : 2,
    K: termScales.length,
    s_a: termScales.map(() => (multiplicative ? 0 : 1)),
    s_m: termScales.map(() => (multiplicative ? 1 : 0)),
    X: terms,
    sigmas: termScales,
    tau: changeScale,
  };
}
