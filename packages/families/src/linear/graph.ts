import { type LinearModel, type LinearPart, type Link, links } from "@flts/forecasting/linear/model";
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
  const { add, mul, min, exp, numberOr } = arithmetic(graph);
  const { reshape, slice } = layout(graph);
  const row = (values: readonly number[]): Double => graph.constant(float64([values.length], values));
  const [one, zero] = [row([1]), row([0])];
  const raw = graph.input("window", "float64", ["N", window, columns.length]);

  const x = numberOr(raw, row(inputs.map(({ fill }) => fill)));
  const positive = max(graph, x, zero);
  const logarithm = unary(
    graph,
    "Log",
    add(mul(positive, row(inputs.map(({ unit }) => Math.max(unit, 1)))), one),
  );
  const plain = choose(
    graph,
    inputs.map(({ unit }) => unit > 0),
    logarithm,
    x,
  );
  const features: Record<Link, () => Double> = {
    log: () => plain,
    "cube-root": () => power(graph, positive, 1 / 3),
    identity: () => plain,
  };
  const undo: Record<Link, (sum: Double) => Double> = {
    log: exp,
    "cube-root": (sum) => power(graph, max(graph, sum, zero), 3),
    identity: (sum) => sum,
  };

  /** What the parts of one link add to the forecasts, `[N, targets]`. */
  const contribution = (link: Link, parts: readonly OwnedPart[]): Double => {
    const flat = reshape(features[link](), ["N", window * columns.length]);
    const sums = add(
      product(graph, flat, graph.constant(weightsOf(parts, window * columns.length), `${link} weights`)),
      row(parts.map(({ part }) => part.intercept)),
    );
    const capped = min(sums, row(parts.map(({ part }) => part.ceiling)));
    return product(graph, undo[link](capped), graph.constant(sharesOf(parts, targets.length)));
  };
  const owned = outputs.flatMap(({ parts }, target) => parts.map((part) => ({ part, target })));
  const lastRow = reshape(slice(x, 1, window - 1, window), ["N", columns.length]);
  const last = product(graph, lastRow, graph.constant(selection(columns, targets), "target_columns"));
  const answer = links
    .map((link) => ({ link, parts: owned.filter(({ part }) => part.link === link) }))
    .filter(({ parts }) => parts.length > 0)
    .reduce(
      (sum, { link, parts }) => add(sum, contribution(link, parts)),
      mul(last, row(outputs.map((output) => output.last))),
    );
  const atLeast = max(graph, answer, row(outputs.map(({ minimum }) => minimum ?? 0)));
  const forecast = choose(
    graph,
    outputs.map(({ minimum }) => minimum !== null),
    atLeast,
    answer,
  );
  graph.output("forecast", reshape(forecast, ["N", 1, targets.length]));
  return encodeModel(graph.build(), metadata);
}

/** A part and the index of the target it belongs to. */
interface OwnedPart {
  readonly part: LinearPart;
  readonly target: number;
}

/** `[cells, parts]` */
function weightsOf(parts: readonly OwnedPart[], cells: number) {
  const columns = parts.map(({ part }) => part.weights.flat());
  const values = Array.from({ length: cells }, (_, cell) => columns.map((weights) => weights[cell] ?? 0));
  return float64([cells, parts.length], values.flat());
}

/** `[parts, targets]` with a part's share at its target, so that a product sums each target's parts. */
function sharesOf(parts: readonly OwnedPart[], targets: number) {
  const values = parts.flatMap(({ part, target }) =>
    Array.from({ length: targets }, (_, index) => (index === target ? part.share : 0)),
  );
  return float64([parts.length, targets], values);
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

const unary = (graph: GraphBuilder, operator: string, x: Double): Double =>
  graph.node({ operator, inputs: [x] }, x);

const max = (graph: GraphBuilder, left: Double, right: Double): Double =>
  graph.node({ operator: "Max", inputs: [left, right] }, left);

const power = (graph: GraphBuilder, x: Double, exponent: number): Double =>
  graph.node({ operator: "Pow", inputs: [x, graph.constant(float64([], [exponent]))] }, x);

function product(graph: GraphBuilder, left: Double, right: Value<"float64">): Double {
  const shape = [left.shape[0] ?? "N", right.shape[1] ?? 1];
  return graph.node({ operator: "MatMul", inputs: [left, right] }, { type: "float64", shape });
}
