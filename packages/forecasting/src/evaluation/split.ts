import { FltsError } from "@flts/common/contracts/errors";

/** Rows from the first (included) to the second number (excluded). */
export type RowRange = [start: number, end: number];

/**
 * A table cut in time. Models are fitted on `fit`, stopped and tuned on `stop`, their intervals calibrated on `calibrate`, and
 * promoted by what they score on `score`: each decision has rows of its own, and no window straddles a border.
 */
export interface RowSplit {
  readonly fit: RowRange;
  readonly stop: RowRange;
  readonly calibrate: RowRange;
  readonly score: RowRange;
}

export interface SplitOptions {
  /** Rows of history and steps of a forecast: every part gets room for one window at least. */
  readonly window: number;
  readonly horizon: number;
  /** Shares of the three later parts; fit gets the rest. */
  readonly shares?: { readonly stop: number; readonly calibrate: number; readonly score: number };
}

const DEFAULT_SHARES = { stop: 0.1, calibrate: 0.1, score: 0.1 };

/**
 * Cuts `rows` rows 70/10/10/10 by default. In a short table the later parts are lengthened to one window each at the cost of fit.
 * @throws TABLE_TOO_SHORT when one of the parts could not hold a window, with the reference's words (§5.2) and the number needed
 */
export function splitRows(
  rows: number,
  { window, horizon, shares = DEFAULT_SHARES }: SplitOptions,
): RowSplit {
  const least = window + horizon;
  const lengthOf = (share: number) => Math.max(Math.round(rows * share), least);
  const scoreStart = rows - lengthOf(shares.score);
  const calibrateStart = scoreStart - lengthOf(shares.calibrate);
  const stopStart = calibrateStart - lengthOf(shares.stop);
  if (stopStart < least) {
    throw new FltsError(
      "TABLE_TOO_SHORT",
      `Not enough rows (${rows}) for input_len=${window} output_len=${horizon}: the four parts fit, stop, calibrate and score need at least ${4 * least}`,
    );
  }
  return {
    fit: [0, stopStart],
    stop: [stopStart, calibrateStart],
    calibrate: [calibrateStart, scoreStart],
    score: [scoreStart, rows],
  };
}
