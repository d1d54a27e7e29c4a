import type { Network } from "../networks/network.ts";
import { flatWeights, initialWeights, namedWeights, type Weights } from "../networks/weights.ts";
import { randomStream, shuffle } from "../random.ts";
import { earlyStopping } from "./early-stopping.ts";
import { divergenceGuard, type ErrorFigures, forecastErrors, trainEpoch } from "./epochs.ts";
import { openForecasts } from "./forecasts.ts";
import { learningRateAt } from "./schedule.ts";
import { checkSettings, type TrainingSettings } from "./settings.ts";
import { checkTable, type TrainingTable, targetColumns, windowsIn } from "./table.ts";
import { openTraining, type TrainingSession } from "./training-session.ts";

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
  /** What was trained: export needs it beside its weights. */
  readonly network: Network;
  /** Of the best epoch on the stop rows. */
  readonly weights: Weights;
  readonly history: readonly EpochReport[];
  readonly bestEpoch: number;
}

/**
 * Trains a network by Adam on the mean squared error over the windows of the fit rows, shuffled anew each epoch, until its
 * error on the stop rows has not improved for `patience` epochs. The same task gives the same weights on the same machine.
 *
 * Windows lie within the fit rows or within the stop rows with all they forecast: none straddles a border.
 *
 * @throws TrainingError with SETTINGS_INVALID, TABLE_INVALID, TABLE_TOO_SHORT or TRAINING_DIVERGED; the signal's reason when aborted
 */
export async function train(task: TrainingTask): Promise<TrainingResult> {
  const { network, table, settings, signal, onEpoch } = task;
  checkSettings(settings);
  checkTable(table);
  const { inputLength: window, outputLength: horizon, epochs } = settings;
  const starts = windowsIn("fit", table.fit, window, horizon);
  const stopStarts = windowsIn("stop", table.stop, window, horizon);
  const batchSize = Math.min(settings.batchSize, starts.length);
  const random = randomStream(settings.seed);
  const initial = flatWeights(initialWeights(network.parameters, random));
  await using opened = await open(task, { initial, batchSize, stopStarts });
  const { session, errorsOf } = opened;

  const steps = Math.ceil(starts.length / batchSize);
  const guard = divergenceGuard(settings.learningRate);
  const stopping = earlyStopping(settings.patience, initial);
  const history: EpochReport[] = [];
  for (let epoch = 1; epoch <= epochs; epoch += 1) {
    shuffle(starts, random);
    const learningRateOf = (step: number): number =>
      learningRateAt(
        settings.learningRateSchedule,
        settings.learningRate,
        (epoch - 1) * steps + step,
        epochs * steps,
      );
    const fitted = await trainEpoch({ session, starts, batchSize, learningRateOf, guard, signal });
    const { parameters } = session.state();
    const tested = await errorsOf(parameters);
    guard.check(tested.mse, `on the stop rows after epoch ${epoch}`);
    const report = { epoch, epochs, ...figuresOf(fitted, tested), learningRate: learningRateOf(steps - 1) };
    history.push(report);
    onEpoch?.(report);
    if (stopping.isOver(epoch, tested.mse, parameters)) break;
  }
  const weights = namedWeights(network.parameters, stopping.best);
  return { network, weights, history, bestEpoch: stopping.bestEpoch };
}

/** Windows forecast at a time on the stop rows. */
const evaluationBatch = 256;

interface Opened extends AsyncDisposable {
  readonly session: TrainingSession;
  /** Errors on the stop rows. */
  errorsOf(parameters: Float32Array): Promise<ErrorFigures>;
}

/** Opens the graphs of a training step and of forecasts on the stop rows; both are closed when training ends, however it ends. */
async function open(
  { network, table, settings, signal }: TrainingTask,
  {
    initial,
    batchSize,
    stopStarts,
  }: { readonly initial: Float32Array; readonly batchSize: number; readonly stopStarts: Int32Array },
): Promise<Opened> {
  const { features, columns } = table;
  const { inputLength: window, outputLength: horizon, clipNorm } = settings;
  const targets = targetColumns(table);
  const shape = {
    rows: features.length / columns,
    features: columns,
    targets: table.targets.length,
    window,
    horizon,
  };
  await using resources = new AsyncDisposableStack();
  const session = await openTraining(
    network,
    { ...shape, batch: batchSize, clipNorm },
    { features, targets },
    initial,
  );
  resources.defer(() => session.close());
  const batch = Math.min(evaluationBatch, stopStarts.length);
  const forecasts = await openForecasts(network, { ...shape, batch }, features);
  resources.defer(() => forecasts.close());
  const kept = resources.move();
  return {
    session,
    async errorsOf(parameters) {
      const answers = await forecasts.forecast(stopStarts, parameters, signal);
      return forecastErrors(answers, stopStarts, { targets, columns: table.targets.length, window, horizon });
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

type Figures = Omit<EpochReport, "epoch" | "epochs" | "learningRate">;

const figuresOf = (fitted: ErrorFigures, tested: ErrorFigures): Figures => ({
  trainLoss: fitted.mse,
  trainMse: fitted.mse,
  trainRmse: fitted.rmse,
  trainMae: fitted.mae,
  testLoss: tested.mse,
  testMse: tested.mse,
  testRmse: tested.rmse,
  testMae: tested.mae,
});
