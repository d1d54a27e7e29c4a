import { type Graph, type GraphBuilder, graphBuilder } from "../graph/graph.ts";
import { float64 } from "../graph/tensor.ts";
import { arithmetic, type Real, type RealType } from "../nodes/arithmetic.ts";
import { layout } from "../nodes/layout.ts";

/** How a column is scaled: scaled = ((raw − center) / divisor) · scale + shift, in this order, in double precision. */
export interface ColumnScaling {
  readonly center: number;
  readonly divisor: number;
  readonly scale: number;
  readonly shift: number;
}

export interface FeatureScaling extends ColumnScaling {
  /** In raw units: what a missing cell (NaN) is taken for. The mean of the rows trained on. */
  readonly missing: number;
}

export interface ForecasterSpec {
  readonly name: string;
  /** Rows of a window. */
  readonly window: number;
  /** Rows to forecast. */
  readonly horizon: number;
  /** Of the window's columns, in order. */
  readonly features: readonly FeatureScaling[];
  /** Of the columns forecast, in order. */
  readonly targets: readonly ColumnScaling[];
}

/** From scaled windows [N, window, features] to scaled forecasts [N, horizon · targets]. */
export type ScaledModel<T extends RealType> = (graph: GraphBuilder, windows: Real<T>) => Real<T>;

/**
 * The contract of every FLTS model: one input `window`, double [N, window, features], and one output `forecast`, double
 * [N, horizon, targets], both in raw units; NaN is a missing cell; N is free.
 *
 * Scaling happens in double precision inside the graph, whatever the precision of the model between: loads are numbers of
 * ten digits, and a float32 keeps seven.
 *
 * @param precision  what `model` computes in; one cast leads in and one leads out where that is float32
 */
export function forecaster<T extends RealType>(
  spec: ForecasterSpec,
  precision: T,
  model: ScaledModel<T>,
): Graph {
  const graph = graphBuilder(spec.name);
  const { cast } = arithmetic(graph);
  const convert = <To extends RealType>(value: Real<RealType>, type: To): Real<To> =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its type is the wanted one
    value.type === type ? (value as Real<To>) : cast(value, type);
  const window = graph.input("window", "float64", ["N", spec.window, spec.features.length]);
  const scaled = convert(scale(graph, fillMissing(graph, window, spec.features), spec.features), precision);
  const forecast = convert(model(graph, scaled), "float64");
  const shaped = layout(graph).reshape(forecast, ["N", spec.horizon, spec.targets.length]);
  graph.output("forecast", unscale(graph, shaped, spec.targets));
  return graph.build();
}

function fillMissing(
  graph: GraphBuilder,
  raw: Real<"float64">,
  columns: readonly FeatureScaling[],
): Real<"float64"> {
  const missing = columns.map((column) => column.missing);
  return arithmetic(graph).numberOr(raw, graph.constant(float64([columns.length], missing), "missing"));
}

/** Steps that change no column are left out: min–max scaling, for one, has neither centre nor divisor. */
function scale(
  graph: GraphBuilder,
  raw: Real<"float64">,
  columns: readonly ColumnScaling[],
): Real<"float64"> {
  const { add, sub, mul, div } = arithmetic(graph);
  const constant = constantsOf(graph, columns, "feature");
  let value = raw;
  if (columns.some(({ center }) => center !== 0)) value = sub(value, constant("center"));
  if (columns.some(({ divisor }) => divisor !== 1)) value = div(value, constant("divisor"));
  if (columns.some(({ scale: factor }) => factor !== 1)) value = mul(value, constant("scale"));
  if (columns.some(({ shift }) => shift !== 0)) value = add(value, constant("shift"));
  return value;
}

/** ((scaled − shift) / scale) · divisor + center. */
function unscale(
  graph: GraphBuilder,
  scaled: Real<"float64">,
  columns: readonly ColumnScaling[],
): Real<"float64"> {
  const { add, sub, mul, div } = arithmetic(graph);
  const constant = constantsOf(graph, columns, "target");
  let value = scaled;
  if (columns.some(({ shift }) => shift !== 0)) value = sub(value, constant("shift"));
  if (columns.some(({ scale: factor }) => factor !== 1)) value = div(value, constant("scale"));
  if (columns.some(({ divisor }) => divisor !== 1)) value = mul(value, constant("divisor"));
  if (columns.some(({ center }) => center !== 0)) value = add(value, constant("center"));
  return value;
}

const constantsOf =
  (graph: GraphBuilder, columns: readonly ColumnScaling[], prefix: string) =>
  (field: keyof ColumnScaling): Real<"float64"> =>
    graph.constant(
      float64(
        [columns.length],
        columns.map((column) => column[field]),
      ),
      `${prefix}_${field}`,
    );
