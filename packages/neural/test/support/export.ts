import { exportNetwork } from "../../src/export/network.ts";
import type { FeatureScaling } from "../../src/export/scaling.ts";
import { float64 } from "../../src/graph/tensor.ts";
import type { Network } from "../../src/networks/network.ts";
import { flatWeights, type Weights } from "../../src/networks/weights.ts";
import { openSession } from "../../src/session/session.ts";
import { openForecasts } from "../../src/training/forecasts.ts";
import type { TrainingTable } from "../../src/training/table.ts";
import { windowStarts } from "../../src/training/windows.ts";

/** Raw = 1000 · scaled + 50. */
export const rawUnits: FeatureScaling = { center: 0, divisor: 1, scale: 1 / 1000, shift: -0.05, missing: 0 };

export interface Trained {
  readonly network: Network;
  readonly weights: Weights;
  readonly window: number;
  readonly horizon: number;
}

export const exported = (model: Trained, table: TrainingTable): Uint8Array =>
  exportNetwork(model.network, model.weights, {
    name: "trained",
    window: model.window,
    horizon: model.horizon,
    features: Array.from({ length: table.columns }, () => rawUnits),
    targets: table.targets.map(() => rawUnits),
  });

/**
 * The largest difference between the exported file and the training graph, over the first `count` windows of a table, in
 * scaled units and relative to the largest forecast.
 */
export async function exportError(model: Trained, table: TrainingTable, count: number): Promise<number> {
  const { network, weights, window, horizon } = model;
  const rows = table.features.length / table.columns;
  const starts = windowStarts({ start: 0, end: rows }, window, horizon).slice(0, count);
  const shape = {
    rows,
    features: table.columns,
    targets: table.targets.length,
    window,
    horizon,
    batch: starts.length,
  };
  const training = await openForecasts(network, shape, table.features);
  const expected = await training.forecast(starts, flatWeights(weights));
  await training.close();

  const session = await openSession(exported(model, table));
  const windows = [...starts].flatMap((start) => [
    ...table.features.subarray(start * table.columns, (start + window) * table.columns),
  ]);
  const raw = windows.map((value) => value * 1000 + 50);
  const { forecast } = await session.run({ window: float64([starts.length, window, table.columns], raw) });
  await session.close();
  if (forecast?.data.length !== expected.length)
    throw new Error(`${forecast?.data.length} forecasts, not ${expected.length}`);
  const scale = Math.max(...expected.map(Math.abs));
  return (
    Math.max(
      ...expected.map((value, index) => Math.abs((Number(forecast.data[index]) - 50) / 1000 - value)),
    ) / scale
  );
}
