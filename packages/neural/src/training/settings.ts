import { TrainingError } from "./error.ts";
import { type LearningRateSchedule, learningRateSchedules } from "./schedule.ts";

export interface TrainingSettings {
  /** Windows in a batch. */
  readonly batchSize: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly learningRateSchedule: LearningRateSchedule;
  /** Rows of a window. */
  readonly inputLength: number;
  /** Rows to forecast after it. */
  readonly outputLength: number;
  /** Epochs without improvement on the stop rows before training stops. */
  readonly patience: number;
  /** The largest 2-norm of a gradient; undefined: no clipping. */
  readonly clipNorm?: number | undefined;
  /** Makes every random choice: initial weights and the order of windows. */
  readonly seed: string;
}

/** @throws TrainingError SETTINGS_INVALID, naming every setting that is out of range */
export function checkSettings(settings: TrainingSettings): void {
  const { batchSize, epochs, inputLength, outputLength, patience, learningRate, clipNorm } = settings;
  const faults = sizeFaults({ batchSize, epochs, inputLength, outputLength, patience });
  if (!(learningRate > 0 && Number.isFinite(learningRate)))
    faults.push(`learningRate must be above 0, not ${learningRate}`);
  if (clipNorm !== undefined && !(clipNorm > 0)) faults.push(`clipNorm must be above 0, not ${clipNorm}`);
  if (!learningRateSchedules.includes(settings.learningRateSchedule))
    faults.push(
      `learningRateSchedule must be one of ${learningRateSchedules.join(", ")}, not ${settings.learningRateSchedule}`,
    );
  refuse(faults);
}

/** @throws TrainingError SETTINGS_INVALID, naming every size that is not a whole number from 1 */
export function checkSizes(sizes: Readonly<Record<string, number>>): void {
  refuse(sizeFaults(sizes));
}

const sizeFaults = (sizes: Readonly<Record<string, number>>): string[] =>
  Object.entries(sizes)
    .filter(([, size]) => !Number.isInteger(size) || size < 1)
    .map(([name, size]) => `${name} must be a whole number from 1, not ${size}`);

function refuse(faults: readonly string[]): void {
  if (faults.length > 0) throw new TrainingError("SETTINGS_INVALID", faults.join("; "));
}
