import type { Network } from "../networks/network.ts";
import { flatWeights, initialWeights, namedWeights, type Weights } from "../networks/weights.ts";
import { randomStream, shuffle } from "../random.ts";
import { earlyStopping } from "./early-stopping.ts";
import { divergenceGuard, forecastErrors, trainEpoch } from "./epochs.ts";
import { openForecasts } from "./forecasts.ts";
import { learningRateAt } from "./schedule.ts";
import { checkSettings, type TrainingSettings } from "./settings.ts";
import { checkTable, type TrainingTable, targetColumns, windowsIn } from "./table.ts";
import { openTraining } from "./training-session.ts";

/** What an epoch brought. Losses are mean squared errors in scaled units. */
export interface EpochReport {
  /** Counted from 1. */
  readonly epoch: number;
  /** Epochs that will be run at most. */
  readonly epochs: number;
  /** Over the epoch's own batches, each by the weights of its step: the curve of training, at no extra pass. */
  readonly trainLoss: number;
  readonly trainMse: number;
  readonly trainRmse: number;
  readonly trainMae: number;
  /** On the stop rows, by the weights at the end of the epoch. */
  readonly testLoss: number;
  readonly testMse: number;
  readonly testRmse: number;
  readonly testMae: number;
  /** Of the epoch's last step. */
  readonly learningRate: number;
}

export interface TrainingTask {
  readonly network: Network;
  readonly table: TrainingTable;
  readonly settings: TrainingSettings;
  readonly signal?: AbortSignal | undefined;
  readonly onEpoch?: ((report: EpochReport) => void) | undefined;
}

export interface TrainingResult {
  /** Of the best epoch on the stop rows. */
  readonly weights: Weights;
  readonly history: readonly EpochReport[];
  readonly bestEpoch: number;
}

/** Windows forecast at a time on the stop rows. */
const evaluationBatch = 256;

/**
 * Trains a network by Adam on the mean squared error over the windows of the fit rows, shuffled anew each epoch, until its
 * error on the stop rows has not improved for `patience` epochs. The same task gives the same weights on the same machine.
 *
 * Windows lie within the fit rows or within the stop rows with all they forecast: none straddles a border.
 *
 * @throws TrainingError with SETTINGS_INVALID, TABLE_INVALID, TABLE_TOO_SHORT or TRAINING_DIVERGED; the signal's reason when aborted
 */
export async function train({
  network,
  table,
  settings,
  signal,
  onEpoch,
}: TrainingTask): Promise<TrainingResult> {
  checkSettings(settings);
  checkTable(table);
  const { inputLength: window, outputLength: horizon, batchSize, epochs, learningRate } = settings;
  const fitStarts = windowsIn("fit", table.fit, window, horizon);
  const stopStarts = windowsIn("stop", table.stop, window, horizon);
  const targets = targetColumns(table);
  const shape = {
    rows: table.features.length / table.columns,
    features: table.columns,
    targets: table.targets.length,
    window,
    horizon,
  };
  const truth = { targets, columns: table.targets.length, window, horizon };

  const random = randomStream(settings.seed);
  const initial = flatWeights(initialWeights(network.parameters, random));
  const data = { features: table.features, targets };
  const batch = Math.min(batchSize, fitStarts.length);
  const evaluation = { ...shape, batch: Math.min(evaluationBatch, stopStarts.length) };
  await using resources = new AsyncDisposableStack();
  const session = await openTraining(
    network,
    { ...shape, batch, clipNorm: settings.clipNorm },
    data,
    initial,
  );
  resources.defer(() => session.close());
  const forecasts = await openForecasts(network, evaluation, table.features);
  resources.defer(() => forecasts.close());

  const stepsPerEpoch = Math.ceil(fitStarts.length / batch);
  const rateOf = (step: number): number =>
    learningRateAt(settings.learningRateSchedule, learningRate, step, epochs * stepsPerEpoch);
  const guard = divergenceGuard(learningRate);
  const stopping = earlyStopping(settings.patience, initial);
  const history: EpochReport[] = [];
  for (let epoch = 1; epoch <= epochs; epoch += 1) {
    shuffle(fitStarts, random);
    const before = (epoch - 1) * stepsPerEpoch;
    const learningRateOf = (step: number): number => rateOf(before + step);
    const fitted = await trainEpoch({
      session,
      starts: fitStarts,
      batchSize: batch,
      learningRateOf,
      guard,
      signal,
    });
    const { parameters } = session.state();
    const tested = forecastErrors(
      await forecasts.forecast(stopStarts, parameters, signal),
      stopStarts,
      truth,
    );
    guard.check(tested.mse, `on the stop rows after epoch ${epoch}`);
    const report: EpochReport = {
      epoch,
      epochs,
      trainLoss: fitted.mse,
      trainMse: fitted.mse,
      trainRmse: fitted.rmse,
      trainMae: fitted.mae,
      testLoss: tested.mse,
      testMse: tested.mse,
      testRmse: tested.rmse,
      testMae: tested.mae,
      learningRate: rateOf(before + stepsPerEpoch - 1),
    };
    history.push(report);
    onEpoch?.(report);
    if (stopping.isOver(epoch, tested.mse, parameters)) break;
  }
  return { weights: namedWeights(network.parameters, stopping.best), history, bestEpoch: stopping.bestEpoch };
}
