import type { Real } from "../nodes/arithmetic.ts";
import { matrix } from "../nodes/matrix.ts";
import { reduction } from "../nodes/reduction.ts";
import { record, type Tape } from "./tape.ts";

/** x [n, in] · weightᵀ [in, out] + bias [out] → [n, out]: PyTorch's `Linear`. */
export function linear(tape: Tape, x: Real, weight: Real, bias: Real): Real {
  const { product } = matrix(tape.graph);
  const y = product(x, weight, bias, { right: true });
  return record(tape, [x, weight, bias], y, (gradient) => [
    () => product(gradient, weight),
    () => product(gradient, x, undefined, { left: true }),
    () => reduction(tape.graph).sum(gradient, [0]),
  ]);
}

/** left [m, k] · right [k, n] → [m, n]. */
export function multiplyMatrices(tape: Tape, left: Real, right: Real): Real {
  const { product } = matrix(tape.graph);
  return record(tape, [left, right], product(left, right), (gradient) => [
    () => product(gradient, right, undefined, { right: true }),
    () => product(left, gradient, undefined, { left: true }),
  ]);
}

/** `x` with its axes in another order: axis k of the result is axis `order[k]` of `x`. */
export function transpose(tape: Tape, x: Real, order: readonly number[]): Real {
  const nodes = matrix(tape.graph);
  const back = order.map((_, axis) => order.indexOf(axis));
  return record(tape, [x], nodes.transpose(x, order), (gradient) => [() => nodes.transpose(gradient, back)]);
}
