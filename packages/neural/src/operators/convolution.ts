import type { GraphBuilder } from "../graph/graph.ts";
import { type Dimension, fixed } from "../graph/shape.ts";
import type { Real } from "../nodes/arithmetic.ts";
import { matrix } from "../nodes/matrix.ts";
import { reduction } from "../nodes/reduction.ts";
import { record, type Tape } from "./tape.ts";

/**
 * A causal one-dimensional convolution: the output at t sees x at t, t − dilation, …, so that
 * x [n, in, steps] * weight [out, in, taps] + bias [out] → [n, out, steps].
 */
export function causalConvolution(tape: Tape, x: Real, weight: Real, bias: Real, dilation = 1): Real {
  const taps = fixed(weight.shape, 2);
  const reach = (taps - 1) * dilation;
  const { graph } = tape;
  const { transpose } = matrix(graph);
  const swap = (value: Real): Real => transpose(value, [1, 0, 2]);
  const y = convolve(graph, x, weight, { bias, dilation, before: reach, after: 0 });
  return record(tape, [x, weight, bias], y, (gradient) => [
    () => transposedConvolution(graph, gradient, weight, dilation, reach),
    // ∂L/∂w[o, i, k] = Σ over n, t of gradient[n, o, t] · x[n, i, t − reach + k·dilation]: a convolution over n as channels.
    () => swap(convolve(graph, swap(x), swap(gradient), { stride: dilation, before: reach, after: 0 })),
    () => reduction(graph).sum(gradient, [0, 2]),
  ]);
}

interface Convolution {
  readonly bias?: Real;
  readonly dilation?: number;
  readonly stride?: number;
  /** Zeros before the first and after the last step. */
  readonly before: number;
  readonly after: number;
}

function convolve(graph: GraphBuilder, x: Real, weight: Real, settings: Convolution): Real {
  const { bias, dilation = 1, stride = 1, before, after } = settings;
  const span = (fixed(weight.shape, 2) - 1) * dilation + 1;
  const steps = Math.floor((fixed(x.shape, 2) + before + after - span) / stride) + 1;
  const attributes = {
    dilations: { ints: [dilation] },
    strides: { ints: [stride] },
    pads: { ints: [before, after] },
  };
  const inputs = bias ? [x, weight, bias] : [x, weight];
  return graph.node(
    { operator: "Conv", inputs, attributes },
    { type: "float32", shape: [first(x), first(weight), steps] },
  );
}

/** The convolution's transpose: sends a gradient [n, out, steps] back to [n, in, steps]. */
function transposedConvolution(
  graph: GraphBuilder,
  gradient: Real,
  weight: Real,
  dilation: number,
  reach: number,
): Real {
  const attributes = { dilations: { ints: [dilation] }, pads: { ints: [reach, 0] } };
  const shape = [first(gradient), fixed(weight.shape, 1), fixed(gradient.shape, 2)];
  return graph.node(
    { operator: "ConvTranspose", inputs: [gradient, weight], attributes },
    { type: "float32", shape },
  );
}

const first = (x: Real): Dimension => x.shape[0] ?? 1;
