import type { LinearModel } from "@flts/forecasting/linear/model";
import { type GraphBuilder, graphBuilder, type Value } from "@flts/neural/graph/graph";
import { encodeModel } from "@flts/neural/graph/model";
import { bool, float64 } from "@flts/neural/graph/tensor";
import { arithmetic, type Real } from "@flts/neural/nodes/arithmetic";
import { layout } from "@flts/neural/nodes/layout";

type Double = Real<"float64">;

/**
 * A linear model as an ONNX file: the formulas of `LinearModel`, node by node, in double precision. `window` [N, window, columns] in, `forecast`
 * [N, 1, targets] out, both in raw units; it agrees with `predictLinear` up to rounding.
 */
export function linearModelFile(model: LinearModel, metadata: Readonly<Record<string, string>>): Uint8Array {
  const { columns, targets, window, inputs, outputs } = model;
  const graph = graphBuilder("linear");
  const { add, sub, mul, min, exp, numberOr } = arithmetic(graph);
  const { reshape, slice } = layout(graph);
  const row = (values: readonly number[]): Double => graph.constant(float64([values.length], values));
  const [one, zero] = [row([1]), row([0])];
  const raw = graph.input("window", "float64", ["N", window, columns.length]);

  const x = numberOr(raw, row(inputs.map(({ fill }) => fill)));
  const logarithm = log(graph, add(mul(max(graph, x, zero), row(inputs.map(({ unit }) => unit))), one));
  const z = choose(
    graph,
    inputs.map((input) => input.log),
    logarithm,
    x,
  );

  const weights = graph.constant(
    float64([window * columns.length, targets.length], model.weights.flat(2)),
    "weights",
  );
  const sum = add(
    product(graph, reshape(z, ["N", window * columns.length]), weights),
    row(outputs.map(({ intercept }) => intercept)),
  );
  const g = min(sum, row(outputs.map(({ ceiling }) => ceiling)));
  const logTargets = outputs.map((output) => output.log);
  // A target that is no logarithm may be a number whose exponential is infinite: it must not even be weighed with 0.
  const f = choose(graph, logTargets, max(graph, sub(exp(g), one), zero), g);

  const lastRow = reshape(slice(x, 1, window - 1, window), ["N", columns.length]);
  const last = product(graph, lastRow, graph.constant(selection(columns, targets), "target_columns"));
  const answer = add(
    mul(last, row(outputs.map((output) => output.last))),
    mul(f, row(outputs.map((output) => output.model))),
  );
  const forecast = choose(graph, logTargets, max(graph, answer, zero), answer);
  graph.output("forecast", reshape(forecast, ["N", 1, targets.length]));
  return encodeModel(graph.build(), metadata);
}

/** `[columns, targets]` with a 1 where a column is a target. */
function selection(columns: readonly string[], targets: readonly string[]) {
  return float64(
    [columns.length, targets.length],
    columns.flatMap((column) => targets.map((target) => Number(column === target))),
  );
}

/** `yes` in the last axis' places where `where` is true, `no` in the others. */
function choose(graph: GraphBuilder, where: readonly boolean[], yes: Double, no: Double): Double {
  if (where.every(Boolean)) return yes;
  if (!where.some(Boolean)) return no;
  return graph.node(
    { operator: "Where", inputs: [graph.constant(bool([where.length], where)), yes, no] },
    yes,
  );
}

const log = (graph: GraphBuilder, x: Double): Double => graph.node({ operator: "Log", inputs: [x] }, x);

const max = (graph: GraphBuilder, left: Double, right: Double): Double =>
  graph.node({ operator: "Max", inputs: [left, right] }, left);

function product(graph: GraphBuilder, left: Double, right: Value<"float64">): Double {
  const shape = [left.shape[0] ?? "N", right.shape[1] ?? 1];
  return graph.node({ operator: "MatMul", inputs: [left, right] }, { type: "float64", shape });
}
