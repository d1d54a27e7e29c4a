import { arithmetic, type Real } from "../nodes/arithmetic.ts";
import { reduction } from "../nodes/reduction.ts";
import { record, type Tape } from "./tape.ts";

/**
 * Σ over windows n and outputs o of rowWeights[n] · (predictions[n, o] − targets[n, o])².
 *
 * With the weight 1 / (n · outputs) in every row this is the mean squared error; rows of weight 0 do not count, which lets a
 * graph of fixed batch size take a shorter last batch.
 *
 * @param rowWeights  [n, 1]
 */
export function squaredError(tape: Tape, predictions: Real, targets: Real, rowWeights: Real): Real {
  const { sub, mul, add } = arithmetic(tape.graph);
  const error = sub(predictions, targets);
  const weighted = mul(error, rowWeights);
  const loss = reduction(tape.graph).sum(mul(weighted, error));
  return record(tape, [predictions], loss, (gradient) => [() => mul(add(weighted, weighted), gradient)]);
}
