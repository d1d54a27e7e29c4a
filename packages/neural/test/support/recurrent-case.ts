import { readFileSync } from "node:fs";
import { encodeModel } from "../../src/graph/model.ts";
import { float32, int32 } from "../../src/graph/tensor.ts";
import type { Network } from "../../src/networks/network.ts";
import { type CellName, recurrentNetwork } from "../../src/networks/recurrent.ts";
import { openSession } from "../../src/session/session.ts";
import type { AdamState } from "../../src/training/adam.ts";
import { openForecasts } from "../../src/training/forecasts.ts";
import { type BatchShape, gradientGraph } from "../../src/training/training-graph.ts";
import { openTraining, type StepResult, type TrainingData } from "../../src/training/training-session.ts";
import { batchArrays, fillBatch } from "../../src/training/windows.ts";
import { decoded, type StoredTensor } from "./tensors.ts";

type Named = Readonly<Record<string, StoredTensor>>;

export interface StoredRun {
  readonly clip_norm: number | null;
  readonly loss: readonly number[];
  readonly grad_norm: readonly number[];
  readonly grad_step0: Named;
  readonly grad_step0_clipped?: Named;
  /** By the number of steps done. */
  readonly weights: Readonly<Record<string, Named>>;
  readonly adam: { readonly exp_avg: Named; readonly exp_avg_sq: Named };
  readonly predictions: StoredTensor;
}

interface StoredCase {
  readonly cell: CellName;
  readonly hyper: {
    readonly features: number;
    readonly hidden: number;
    readonly layers: number;
    readonly window: number;
    readonly horizon: number;
    readonly lr: number;
  };
  readonly x: StoredTensor;
  readonly y: StoredTensor;
  readonly batches: readonly (readonly number[])[];
  readonly batches_ragged: readonly (readonly number[])[];
  readonly initial: Named;
  readonly forward_initial: { readonly predictions: StoredTensor };
  readonly runs: Readonly<Record<string, StoredRun>>;
}

export interface TrainedCase {
  readonly steps: readonly StepResult[];
  readonly state: AdamState<Float32Array>;
}

/** What PyTorch answered for a small recurrent network, and the same network of ours on the same windows. */
export interface RecurrentCase {
  readonly network: Network;
  readonly initial: Float32Array;
  readonly initialForecasts: Float32Array;
  runOf(name: string): StoredRun & { readonly batches: readonly (readonly number[])[] };
  /** All parameters of a state dict, flat, in the network's order. */
  flat(named: Named): Float32Array;
  /** Trains through a run's batches (the first `steps` of them), calling `onStep` after each. */
  train(
    name: string,
    onStep: (step: number, state: AdamState<Float32Array>) => void,
    steps?: number,
  ): Promise<TrainedCase>;
  /** The gradient of a run's first batch, before clipping. */
  firstGradient(name: string): Promise<Float32Array>;
  /** Forecasts of all windows. */
  forecasts(parameters: Float32Array): Promise<Float32Array>;
}

export function recurrentCase(file: string): RecurrentCase {
  const stored = JSON.parse(readFileSync(file, "utf8")) as StoredCase;
  const { features, hidden, layers, window, horizon, lr } = stored.hyper;
  const targets = stored.y.shape[2] ?? 1;
  const network = recurrentNetwork({
    cell: stored.cell,
    features,
    hiddenSize: hidden,
    numLayers: layers,
    outputs: horizon * targets,
  });
  const flat = (named: Named): Float32Array =>
    Float32Array.from(network.parameters.flatMap(({ name }) => [...decoded(tensorOf(named, name))]));
  const { data, rows } = tableOf(stored);
  const startsOf = (windows: readonly number[]): Int32Array =>
    Int32Array.from(windows, (index) => index * (window + horizon));
  const shapeOf = (batch: number): BatchShape => ({ rows, features, targets, window, horizon, batch });

  function runOf(name: string): StoredRun & { batches: readonly (readonly number[])[] } {
    const run = stored.runs[name];
    if (!run) throw new Error(`${file} has no run ${name}`);
    return { ...run, batches: name.startsWith("ragged") ? stored.batches_ragged : stored.batches };
  }

  return {
    network,
    initial: flat(stored.initial),
    initialForecasts: decoded(stored.forward_initial.predictions),
    runOf,
    flat,
    async train(name, onStep, steps = Number.POSITIVE_INFINITY) {
      const { batches, clip_norm: clipNorm } = runOf(name);
      const batch = Math.max(...batches.map((windows) => windows.length));
      const settings = { ...shapeOf(batch), clipNorm: clipNorm ?? undefined };
      const session = await openTraining(network, settings, data, flat(stored.initial));
      const results: StepResult[] = [];
      for (const windows of batches.slice(0, steps)) {
        results.push(await session.step(startsOf(windows), lr));
        onStep(results.length, session.state());
      }
      await session.close();
      return { steps: results, state: session.state() };
    },
    async firstGradient(name) {
      const [windows = []] = runOf(name).batches;
      const shape = shapeOf(windows.length);
      const session = await openSession(encodeModel(gradientGraph(network, shape)));
      const drawn = batchArrays(shape);
      fillBatch(drawn, shape, startsOf(windows));
      const parameters = flat(stored.initial);
      const { gradient } = await session.run({
        features: float32([rows, features], data.features),
        targets: float32([rows, targets], data.targets),
        windowRows: int32([windows.length, window], drawn.windowRows),
        targetRows: int32([windows.length, horizon], drawn.targetRows),
        rowWeights: float32([windows.length, 1], drawn.rowWeights),
        parameters: float32([parameters.length], parameters),
      });
      await session.close();
      return gradient?.data as Float32Array;
    },
    async forecasts(parameters) {
      const count = stored.x.shape[0] ?? 0;
      const session = await openForecasts(network, shapeOf(Math.ceil(count / 3)), data.features);
      const starts = startsOf(Array.from({ length: count }, (_, index) => index));
      const forecasts = await session.forecast(starts, parameters);
      await session.close();
      return forecasts;
    },
  };
}

/** The windows of a case and what follows them, one below the other as rows of a table. */
function tableOf({ x, y, hyper }: StoredCase): { readonly data: TrainingData; readonly rows: number } {
  const { window, horizon, features } = hyper;
  const [count = 0, , targets = 1] = y.shape;
  const [windows, truths] = [decoded(x), decoded(y)];
  const rows = count * (window + horizon);
  const data = { features: new Float32Array(rows * features), targets: new Float32Array(rows * targets) };
  for (let index = 0; index < count; index += 1) {
    const row = index * (window + horizon);
    data.features.set(
      windows.subarray(index * window * features, (index + 1) * window * features),
      row * features,
    );
    data.targets.set(
      truths.subarray(index * horizon * targets, (index + 1) * horizon * targets),
      (row + window) * targets,
    );
  }
  return { data, rows };
}

function tensorOf(named: Named, name: string): StoredTensor {
  const found = named[name];
  if (!found) throw new Error(`The fixture lacks ${name}`);
  return found;
}
