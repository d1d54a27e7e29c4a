import { type CellName, recurrentNetwork } from "../networks/recurrent.ts";
import { checkSizes, type TrainingSettings } from "./settings.ts";
import type { TrainingTable } from "./table.ts";
import { type EpochReport, type TrainingResult, train } from "./train.ts";

export interface RecurrentSettings extends TrainingSettings {
  readonly hiddenSize: number;
  readonly numLayers: number;
}

export interface RecurrentTask extends TrainingTable {
  readonly cell: CellName;
  readonly settings: RecurrentSettings;
  readonly signal?: AbortSignal | undefined;
  readonly onEpoch?: ((report: EpochReport) => void) | undefined;
}

/**
 * Trains an LSTM or GRU forecaster; see `train` for how, and `recurrentNetwork` for what. Weights are named as in PyTorch's
 * state dict.
 *
 * @throws TrainingError with SETTINGS_INVALID, TABLE_INVALID, TABLE_TOO_SHORT or TRAINING_DIVERGED; the signal's reason when aborted
 */
export async function trainRecurrent(task: RecurrentTask): Promise<TrainingResult> {
  const { cell, settings, signal, onEpoch } = task;
  const { hiddenSize, numLayers, outputLength } = settings;
  checkSizes({ hiddenSize, numLayers, outputLength });
  const outputs = outputLength * task.targets.length;
  const network = recurrentNetwork({ cell, features: task.columns, hiddenSize, numLayers, outputs });
  return train({ network, table: task, settings, signal, onEpoch });
}
