import { arithmetic, type Real } from "../nodes/arithmetic.ts";
import { layout } from "../nodes/layout.ts";
import { reduction } from "../nodes/reduction.ts";
import { record, type Tape } from "./tape.ts";

/** left + right, broadcasting. */
export function add(tape: Tape, left: Real, right: Real): Real {
  return record(tape, [left, right], arithmetic(tape.graph).add(left, right), (gradient) => [
    () => unbroadcast(tape, gradient, left),
    () => unbroadcast(tape, gradient, right),
  ]);
}

/** left − right, broadcasting. */
export function subtract(tape: Tape, left: Real, right: Real): Real {
  const { sub, neg } = arithmetic(tape.graph);
  return record(tape, [left, right], sub(left, right), (gradient) => [
    () => unbroadcast(tape, gradient, left),
    () => unbroadcast(tape, neg(gradient), right),
  ]);
}

/** left · right element by element, broadcasting. */
export function multiply(tape: Tape, left: Real, right: Real): Real {
  const { mul } = arithmetic(tape.graph);
  return record(tape, [left, right], mul(left, right), (gradient) => [
    () => unbroadcast(tape, mul(gradient, right), left),
    () => unbroadcast(tape, mul(gradient, left), right),
  ]);
}

/** Sums a gradient over the axes along which `target` was stretched. */
function unbroadcast(tape: Tape, gradient: Real, target: Real): Real {
  const missing = gradient.shape.length - target.shape.length;
  const stretched = [...gradient.shape.keys()].filter(
    (axis) => axis < missing || (target.shape[axis - missing] === 1 && gradient.shape[axis] !== 1),
  );
  if (stretched.length === 0) return gradient;
  const summed = reduction(tape.graph).sum(gradient, stretched, true);
  return missing === 0 ? summed : layout(tape.graph).reshape(summed, target.shape);
}
