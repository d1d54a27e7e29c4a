import type { GraphBuilder } from "@flts/neural/graph/graph";
import { bool, float32 } from "@flts/neural/graph/tensor";
import type { Network } from "@flts/neural/networks/network";
import { arithmetic, type Real } from "@flts/neural/nodes/arithmetic";
import { layout } from "@flts/neural/nodes/layout";
import { matrix } from "@flts/neural/nodes/matrix";
import { add } from "@flts/neural/operators/arithmetic";

export interface WindowShape {
  /** Rows and columns of a window. */
  readonly window: number;
  readonly features: number;
  /** Columns that are forecast, by their position. */
  readonly targets: readonly number[];
  readonly horizon: number;
  /** For each target how its cube roots are scaled; null for one that is no root. */
  readonly roots: readonly (RootScaling | null)[];
}

/** scaled = (root − center) / divisor; all that was fitted on lies between 0 and 1. */
export interface RootScaling {
  readonly center: number;
  readonly divisor: number;
}

/** The last layer of a recurrent network, whose outputs are its forecasts. */
const HEAD = "fc.";

/**
 * A network that forecasts how far each target will have moved from its last value, where it is rooted in units of its roots,
 * instead of where it will be. It starts as persistence (its head is all zeros), so that a short training leaves it near the
 * last value rather than near a constant. It trains on scaled roots; exported, it takes rooted targets as they are, roots and
 * scales them, and answers with cubes, none above the largest value it was fitted on: a sum of changes must not run away.
 */
export function rootChangeNetwork(network: Network, shape: WindowShape): Network {
  const { infer } = network;
  if (infer === undefined) throw new Error("A network of root changes needs a network that can be exported");
  return {
    parameters: network.parameters.map((parameter) =>
      parameter.name.startsWith(HEAD) ? { ...parameter, bound: 0 } : parameter,
    ),
    forward: (tape, parameters, windows) =>
      add(tape, network.forward(tape, parameters, windows), lastValues(tape.graph, windows, shape)),
    infer(graph, weights, windows) {
      const scaled = rooted(graph, windows, shape);
      const change = infer(graph, weights, scaled);
      return cubed(graph, arithmetic(graph).add(change, lastValues(graph, scaled, shape)), shape);
    },
  };
}

/** The targets in the last row of each window, once for each step: `[n, horizon · targets]`. */
function lastValues(graph: GraphBuilder, windows: Real, shape: WindowShape): Real {
  const { window, features, targets, horizon } = shape;
  const { slice, reshape } = layout(graph);
  const row = reshape(slice(windows, 1, window - 1, window), [windows.shape[0] ?? "N", features]);
  const outputs = horizon * targets.length;
  const chosen = new Float32Array(features * outputs);
  for (let output = 0; output < outputs; output += 1)
    chosen[(targets[output % targets.length] ?? 0) * outputs + output] = 1;
  return matrix(graph).product(row, graph.constant(float32([features, outputs], chosen), "last_values"));
}

/** The windows with rooted columns as scaled cube roots. */
function rooted(graph: GraphBuilder, windows: Real, { features, targets, roots }: WindowShape): Real {
  const { sub, div } = arithmetic(graph);
  const columns = Array.from({ length: features }, (_, column) => roots[targets.indexOf(column)] ?? null);
  const root = power(graph, extreme(graph, "Max", windows, [0]), 1 / 3);
  const [center, divisor] = scalingRows(graph, columns);
  return choose(graph, columns, div(sub(root, center), divisor), windows);
}

/** The inverse for outputs. */
function cubed(graph: GraphBuilder, outputs: Real, { horizon, roots }: WindowShape): Real {
  const { add: plus, mul } = arithmetic(graph);
  const each = Array.from({ length: horizon }, () => roots).flat();
  const [center, divisor] = scalingRows(graph, each);
  const capped = extreme(graph, "Min", outputs, [1]);
  const root = extreme(graph, "Max", plus(mul(capped, divisor), center), [0]);
  return choose(graph, each, power(graph, root, 3), outputs);
}

const scalingRows = (graph: GraphBuilder, columns: readonly (RootScaling | null)[]): [Real, Real] => [
  row(
    graph,
    columns.map((column) => column?.center ?? 0),
  ),
  row(
    graph,
    columns.map((column) => column?.divisor ?? 1),
  ),
];

/** `yes` in the last axis' places that are rooted, `no` in the others. */
function choose(graph: GraphBuilder, columns: readonly (RootScaling | null)[], yes: Real, no: Real): Real {
  const mask = graph.constant(
    bool(
      [columns.length],
      columns.map((column) => column !== null),
    ),
  );
  return graph.node({ operator: "Where", inputs: [mask, yes, no] }, no);
}

const row = (graph: GraphBuilder, values: readonly number[]): Real =>
  graph.constant(float32([values.length], values));

const extreme = (graph: GraphBuilder, operator: "Min" | "Max", x: Real, bound: readonly number[]): Real =>
  graph.node({ operator, inputs: [x, row(graph, bound)] }, x);

const power = (graph: GraphBuilder, x: Real, exponent: number): Real =>
  graph.node({ operator: "Pow", inputs: [x, graph.constant(float32([], [exponent]))] }, x);
