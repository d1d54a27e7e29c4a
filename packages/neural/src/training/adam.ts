import type { GraphBuilder } from "../graph/graph.ts";
import { arithmetic, type Real } from "../nodes/arithmetic.ts";
import { reduction } from "../nodes/reduction.ts";

/** PyTorch's defaults, and those of Kingma & Ba 2015. */
const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

/**
 * What Adam knows, all parameters in one vector [size] so that the whole update is a dozen nodes. The moments are stored
 * divided by (1 − β): M = m / (1 − β₁), V = v / (1 − β₂), which spares a pass over each.
 */
export interface AdamState<Vector> {
  readonly parameters: Vector;
  readonly first: Vector;
  readonly second: Vector;
}

/** The two numbers of a step that carry learning rate and bias corrections; see `adamStep`. */
export interface AdamStep<Scalar> {
  readonly stepSize: Scalar;
  readonly epsilon: Scalar;
}

/**
 * Emits one update: M ← β₁·M + g,  V ← β₂·V + g²,  θ ← θ − stepSize · M / (√V + ε).
 *
 * This is torch.optim.Adam: with s = √((1 − β₂) / (1 − β₂ᵗ)), √v̂ = s·√V, and dividing its fraction by s leaves two scalars.
 */
export function adam(
  graph: GraphBuilder,
  state: AdamState<Real>,
  gradient: Real,
  step: AdamStep<Real>,
): AdamState<Real> {
  const { add, sub, mul, div, sqrt } = arithmetic(graph);
  const first = add(mul(state.first, beta1), gradient);
  const second = add(mul(state.second, beta2), mul(gradient, gradient));
  const direction = div(first, add(sqrt(second), step.epsilon));
  return { parameters: sub(state.parameters, mul(direction, step.stepSize)), first, second };
}

/** The scalars of step t = 1, 2, … at a learning rate. */
export function adamStep(t: number, learningRate: number): AdamStep<number> {
  const scale = Math.sqrt((1 - beta2) / (1 - beta2 ** t));
  return { stepSize: (learningRate * (1 - beta1)) / ((1 - beta1 ** t) * scale), epsilon: epsilon / scale };
}

/** The moments as PyTorch stores them (`exp_avg`, `exp_avg_sq`). */
export function adamMoments(state: AdamState<Float32Array>): {
  readonly first: Float32Array;
  readonly second: Float32Array;
} {
  return {
    first: state.first.map((value) => value * (1 - beta1)),
    second: state.second.map((value) => value * (1 - beta2)),
  };
}

/**
 * Scales a gradient down to a 2-norm of at most `limit`: by min(1, limit / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_.
 *
 * @returns the clipped gradient, and the norm before
 */
export function clipByNorm(
  graph: GraphBuilder,
  gradient: Real,
  limit: number,
): { readonly clipped: Real; readonly norm: Real } {
  const { add, mul, div, min, sqrt } = arithmetic(graph);
  const norm = sqrt(reduction(graph).sumOfSquares(gradient));
  const allowed = graph.constant({ type: "float32", shape: [], data: Float32Array.of(limit) });
  const factor = min(div(allowed, add(norm, 1e-6)), 1);
  return { clipped: mul(gradient, factor), norm };
}
