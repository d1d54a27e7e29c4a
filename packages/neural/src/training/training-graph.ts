import { type Graph, type GraphBuilder, graphBuilder } from "../graph/graph.ts";
import { sizeOf } from "../graph/shape.ts";
import type { Network, ParameterSpec } from "../networks/network.ts";
import { arithmetic, type Real } from "../nodes/arithmetic.ts";
import { layout } from "../nodes/layout.ts";
import { reduction } from "../nodes/reduction.ts";
import { squaredError } from "../operators/loss.ts";
import { startTape } from "../operators/tape.ts";
import { adam, clipByNorm } from "./adam.ts";

/** The table that stays put while batches are drawn from it by row number, and the shape of a batch. */
export interface BatchShape {
  /** Rows of the resident table. */
  readonly rows: number;
  readonly features: number;
  readonly targets: number;
  /** Windows in a batch. */
  readonly batch: number;
  /** Rows of a window. */
  readonly window: number;
  /** Rows to forecast after a window. */
  readonly horizon: number;
}

export interface TrainingGraphSettings extends BatchShape {
  /** The largest 2-norm of a gradient, or undefined for no clipping. */
  readonly clipNorm?: number | undefined;
}

/**
 * One step of training as a graph: gather a batch, forecast, compare, send gradients back, clip, update.
 *
 * Inputs: `features` [rows, features] and `targets` [rows, targets]; `windowRows` int32 [batch, window], `targetRows` int32
 * [batch, horizon] and `rowWeights` [batch, 1], which choose the batch; the optimizer's state `parameters`, `first`,
 * `second` [size] and the scalars `stepSize`, `epsilon`.
 * Outputs: the state's successor `nextParameters`, `nextFirst`, `nextSecond`; the scalars `loss` (Σ weight · error²),
 * `absoluteError` (Σ weight · |error|) and `gradientNorm` (before clipping).
 */
export function trainingGraph(network: Network, settings: TrainingGraphSettings): Graph {
  const graph = graphBuilder("training_step");
  const { loss, absoluteError, gradient, parameters } = differentiatedBatch(graph, network, settings);
  const vector = (name: string): Real => graph.input(name, "float32", parameters.shape);
  const scalar = (name: string): Real => graph.input(name, "float32", []);
  const state = { parameters, first: vector("first"), second: vector("second") };
  const { clipped, norm } = clipByNorm(graph, gradient, settings.clipNorm ?? Number.POSITIVE_INFINITY);
  const next = adam(graph, state, clipped, { stepSize: scalar("stepSize"), epsilon: scalar("epsilon") });
  graph.output("nextParameters", next.parameters);
  graph.output("nextFirst", next.first);
  graph.output("nextSecond", next.second);
  graph.output("loss", loss);
  graph.output("absoluteError", absoluteError);
  graph.output("gradientNorm", norm);
  return graph.build();
}

/** The gradient alone, for tests: the batch's inputs and `parameters` in, `loss` and `gradient` [size] out. */
export function gradientGraph(network: Network, settings: BatchShape): Graph {
  const graph = graphBuilder("gradient");
  const { loss, gradient } = differentiatedBatch(graph, network, settings);
  graph.output("loss", loss);
  graph.output("gradient", gradient);
  return graph.build();
}

/** Forecasts alone: `features`, `windowRows` and `parameters` in, `forecast` [batch, horizon · targets] out. */
export function forecastGraph(network: Network, settings: BatchShape): Graph {
  const graph = graphBuilder("forecast");
  const windows = gather(graph, "features", settings.features, settings, "windowRows", settings.window);
  const parameters = graph.input("parameters", "float32", [parameterCount(network.parameters)]);
  graph.output(
    "forecast",
    network.forward(startTape(graph), unflatten(graph, parameters, network.parameters), windows),
  );
  return graph.build();
}

interface DifferentiatedBatch {
  readonly parameters: Real;
  readonly loss: Real;
  readonly absoluteError: Real;
  readonly gradient: Real;
}

function differentiatedBatch(
  graph: GraphBuilder,
  network: Network,
  settings: BatchShape,
): DifferentiatedBatch {
  const { batch, window, horizon, targets } = settings;
  const windows = gather(graph, "features", settings.features, settings, "windowRows", window);
  const truth = gather(graph, "targets", targets, settings, "targetRows", horizon);
  const rowWeights = graph.input("rowWeights", "float32", [batch, 1]);
  const parameters = graph.input("parameters", "float32", [parameterCount(network.parameters)]);

  const tape = startTape(graph);
  const values = unflatten(graph, parameters, network.parameters);
  const forecast = network.forward(tape, values, windows);
  const expected = layout(graph).reshape(truth, [batch, horizon * targets]);
  const loss = squaredError(tape, forecast, expected, rowWeights);
  const { abs, mul, sub } = arithmetic(graph);
  const absoluteError = reduction(graph).sum(mul(abs(sub(forecast, expected)), rowWeights));
  return { parameters, loss, absoluteError, gradient: flatten(graph, tape.gradients(loss, values)) };
}

/** Rows of a resident table [rows, columns], chosen by the input `indices` → [batch, length, columns]. */
function gather(
  graph: GraphBuilder,
  table: string,
  columns: number,
  { rows, batch }: BatchShape,
  indices: string,
  length: number,
): Real {
  const resident = graph.input(table, "float32", [rows, columns]);
  return layout(graph).rowsAt(resident, graph.input(indices, "int32", [batch, length]));
}

/** How many numbers all parameters have together: the length of the flat vector. */
export function parameterCount(parameters: readonly ParameterSpec[]): number {
  return parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

function unflatten(graph: GraphBuilder, flat: Real, parameters: readonly ParameterSpec[]): readonly Real[] {
  const { split, reshape } = layout(graph);
  const parts = split(
    flat,
    parameters.map(({ shape }) => sizeOf(shape)),
    0,
  );
  return parts.map((part, index) => reshape(part, parameters[index]?.shape ?? []));
}

function flatten(graph: GraphBuilder, values: readonly Real[]): Real {
  const { concat, reshape } = layout(graph);
  return concat(
    values.map((value) => reshape(value, [sizeOf(value.shape.map(Number))])),
    0,
  );
}
