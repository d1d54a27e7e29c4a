import { arithmetic, type Real } from "../nodes/arithmetic.ts";
import { record, type Tape } from "./tape.ts";

/** σ(x) = 1 / (1 + e⁻ˣ), with σ′ = σ − σ². */
export function sigmoid(tape: Tape, x: Real): Real {
  const nodes = arithmetic(tape.graph);
  const y = nodes.sigmoid(x);
  return record(tape, [x], y, (gradient) => [() => nodes.mul(gradient, nodes.sub(y, nodes.mul(y, y)))]);
}

/** tanh(x), with tanh′ = 1 − tanh². */
export function tanh(tape: Tape, x: Real): Real {
  const nodes = arithmetic(tape.graph);
  const y = nodes.tanh(x);
  return record(tape, [x], y, (gradient) => {
    const lost = nodes.mul(gradient, nodes.mul(y, y));
    return [() => nodes.sub(gradient, lost)];
  });
}

/** max(x, 0), with the derivative 0 at 0, as in PyTorch. */
export function relu(tape: Tape, x: Real): Real {
  const nodes = arithmetic(tape.graph);
  const y = nodes.relu(x);
  return record(tape, [x], y, (gradient) => [() => nodes.mul(gradient, nodes.positive(y))]);
}
