import { graphBuilder } from "../../src/graph/graph.ts";
import { encodeModel } from "../../src/graph/model.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import { float32, type Tensor } from "../../src/graph/tensor.ts";
import type { Real } from "../../src/nodes/arithmetic.ts";
import { arithmetic } from "../../src/nodes/arithmetic.ts";
import { reduction } from "../../src/nodes/reduction.ts";
import { startTape, type Tape } from "../../src/operators/tape.ts";
import { randomStream } from "../../src/random.ts";
import { openSession } from "../../src/session/session.ts";

/** A function of some tensors that answers with one or several, built of operators. */
export type Computation = (tape: Tape, inputs: readonly Real[]) => readonly Real[];

/**
 * The largest difference between the gradients that a computation's operators send back and central finite differences, by
 * any value of its inputs, relative to the largest gradient. The loss is a sum of all outputs with random weights.
 */
export async function gradientError(
  shapes: readonly (readonly number[])[],
  compute: Computation,
): Promise<number> {
  const random = randomStream(shapes.join("|"));
  const inputs = shapes.map((shape) =>
    float32(
      shape,
      Array.from({ length: sizeOf(shape) }, () => 2 * random() - 1),
    ),
  );
  const builder = graphBuilder("gradients");
  const tape = startTape(builder);
  const values = inputs.map((input, index) => builder.input(`x${index}`, "float32", input.shape));
  const outputs = compute(tape, values);
  const weights = outputs.map((output) => {
    const shape = output.shape.map(Number);
    return builder.constant(
      float32(
        shape,
        Array.from({ length: sizeOf(shape) }, () => 2 * random() - 1),
      ),
    );
  });
  const loss = weightedSum(tape, outputs, weights);
  builder.output("loss", loss);
  for (const [index, gradient] of tape.gradients(loss, values).entries())
    builder.output(`g${index}`, gradient);
  const session = await openSession(encodeModel(builder.build()));
  const lossAt = async (changed: readonly Tensor[]): Promise<number> =>
    Number((await session.run(feed(changed)))["loss"]?.data[0]);

  const emitted = await session.run(feed(inputs));
  let [worst, largest] = [0, 0];
  for (const [index, input] of inputs.entries()) {
    for (const position of input.data.keys()) {
      const shifted = async (by: number): Promise<number> => {
        const data = input.data.slice();
        data[position] = (data[position] ?? 0) + by;
        return lossAt(inputs.with(index, { ...input, data }));
      };
      const difference = ((await shifted(step)) - (await shifted(-step))) / (2 * step);
      const gradient = Number(emitted[`g${index}`]?.data[position]);
      worst = Math.max(worst, Math.abs(difference - gradient));
      largest = Math.max(largest, Math.abs(difference));
    }
  }
  await session.close();
  return worst / largest;
}

/** Balances the truncation of a central difference (∝ step²) against float32's rounding (∝ 1 / step). */
const step = 1 / 128;

function weightedSum(tape: Tape, outputs: readonly Real[], weights: readonly Real[]): Real {
  const { mul, add } = arithmetic(tape.graph);
  const terms = outputs.map((output, index) =>
    reduction(tape.graph).sum(mul(output, weights[index] ?? output)),
  );
  const total = terms.reduce((sum, term) => add(sum, term));
  tape.record({
    inputs: outputs,
    outputs: [total],
    pullback: ([gradient]) => (gradient ? weights.map((weight) => mul(weight, gradient)) : []),
  });
  return total;
}

const feed = (inputs: readonly Tensor[]): Record<string, Tensor> =>
  Object.fromEntries(inputs.map((input, index) => [`x${index}`, input]));
