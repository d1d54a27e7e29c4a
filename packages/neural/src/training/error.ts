/** What can be wrong with a training. The codes are those of FLTS's table of errors. */
export type TrainingFault = "TRAINING_DIVERGED" | "TABLE_TOO_SHORT" | "TABLE_INVALID" | "SETTINGS_INVALID";

/** A training that cannot go on. The message names the setting, column or number at fault. */
export class TrainingError extends Error {
  readonly code: TrainingFault;

  constructor(code: TrainingFault, message: string) {
    super(message);
    this.name = "TrainingError";
    this.code = code;
  }
}
