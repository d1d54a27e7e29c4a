import type { GraphBuilder, Value } from "../graph/graph.ts";
import { sameShape } from "../graph/shape.ts";
import { float32 } from "../graph/tensor.ts";
import { arithmetic, type Real } from "../nodes/arithmetic.ts";

/**
 * A tape notes what a computation did, operator by operator, so that gradients can be sent back through it (reverse-mode
 * differentiation). Both ways are nodes of one graph: an operator emits its forward nodes at once, and the nodes of its
 * vector-Jacobian product when `gradients` asks for them.
 */
export interface Tape {
  readonly graph: GraphBuilder;
  record(step: Step): void;
  /**
   * The gradients of a scalar loss by each of `sources`, in their order and shapes.
   *
   * @throws Error when the loss does not depend on one of them
   */
  gradients(loss: Real, sources: readonly Real[]): readonly Real[];
}

/** One application of an operator. */
export interface Step {
  readonly inputs: readonly Real[];
  readonly outputs: readonly Real[];
  /**
   * Emits the vector-Jacobian product.
   *
   * @param gradients  of the loss by each output; undefined where the loss does not depend on it
   * @param wanted  whether a gradient is wanted, input by input; the others are not looked at
   * @returns gradients of the loss by each input, undefined where none was wanted
   */
  pullback(
    gradients: readonly (Real | undefined)[],
    wanted: readonly boolean[],
  ): readonly (Real | undefined)[];
}

export function startTape(graph: GraphBuilder): Tape {
  const steps: Step[] = [];
  return {
    graph,
    record: (step) => void steps.push(step),
    gradients(loss, sources) {
      const needed = dependents(steps, sources);
      const found = gradientsBy(graph, steps, loss, needed);
      return sources.map((source) => {
        const gradient = found.get(source.name);
        if (!gradient) throw new Error(`${loss.name} does not depend on ${source.name}`);
        return gradient;
      });
    },
  };
}

/**
 * Records an operator with one output.
 *
 * @param pullback  for each input a function that emits its gradient; only those that are wanted get called
 */
export function record(
  tape: Tape,
  inputs: readonly Real[],
  output: Real,
  pullback: (gradient: Real) => readonly (() => Real)[],
): Real {
  tape.record({
    inputs,
    outputs: [output],
    pullback([gradient], wanted) {
      return gradient ? pullback(gradient).map((emit, index) => (wanted[index] ? emit() : undefined)) : [];
    },
  });
  return output;
}

/** The names of all values through which a source reaches anything. */
function dependents(steps: readonly Step[], sources: readonly Value[]): ReadonlySet<string> {
  const names = new Set(sources.map((source) => source.name));
  for (const { inputs, outputs } of steps) {
    if (inputs.some((input) => names.has(input.name))) for (const output of outputs) names.add(output.name);
  }
  return names;
}

function gradientsBy(
  graph: GraphBuilder,
  steps: readonly Step[],
  loss: Real,
  needed: ReadonlySet<string>,
): ReadonlyMap<string, Real> {
  const { add } = arithmetic(graph);
  const found = new Map<string, Real>([[loss.name, graph.constant(float32(loss.shape.map(Number), [1]))]]);
  for (const step of steps.toReversed()) {
    const wanted = step.inputs.map((input) => needed.has(input.name));
    const arriving = step.outputs.map((output) => found.get(output.name));
    if (!wanted.includes(true) || arriving.every((gradient) => gradient === undefined)) continue;
    for (const [index, gradient] of step.pullback(arriving, wanted).entries()) {
      const input = step.inputs[index];
      if (!input || !gradient || !wanted[index]) continue;
      if (!sameShape(gradient.shape, input.shape))
        throw new Error(
          `The gradient of ${input.name} has the shape [${gradient.shape.join(", ")}], not [${input.shape.join(", ")}]`,
        );
      const earlier = found.get(input.name);
      found.set(input.name, earlier ? add(earlier, gradient) : gradient);
    }
  }
  return found;
}
