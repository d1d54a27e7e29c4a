/** Rows from `start` (inclusive) to `end` (exclusive) of a table. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/**
 * First rows of all windows that lie, with the rows they forecast, within a range: none straddles its borders.
 *
 * @returns range length − window − horizon + 1 row numbers, or none where the range is too short
 */
export function windowStarts(range: RowRange, window: number, horizon: number): Int32Array {
  const count = Math.max(0, range.end - range.start - window - horizon + 1);
  return Int32Array.from({ length: count }, (_, index) => range.start + index);
}

/** Preallocated index and weight arrays of one batch, as the training graph wants them. */
export interface BatchArrays {
  /** [batch, window] */
  readonly windowRows: Int32Array;
  /** [batch, horizon] */
  readonly targetRows: Int32Array;
  /** [batch, 1] */
  readonly rowWeights: Float32Array;
}

export interface BatchLayout {
  readonly batch: number;
  readonly window: number;
  readonly horizon: number;
  readonly targets: number;
}

export function batchArrays({ batch, window, horizon }: BatchLayout): BatchArrays {
  return {
    windowRows: new Int32Array(batch * window),
    targetRows: new Int32Array(batch * horizon),
    rowWeights: new Float32Array(batch),
  };
}

/**
 * Writes the batch of the windows that begin at `starts` (at most `batch` of them). A shorter batch is filled up with its
 * first window at weight 0, so that sums are those of the windows given.
 */
export function fillBatch(arrays: BatchArrays, layout: BatchLayout, starts: Int32Array): void {
  const { batch, window, horizon, targets } = layout;
  const weight = 1 / (starts.length * horizon * targets);
  for (let row = 0; row < batch; row += 1) {
    const start = starts[row] ?? starts[0] ?? 0;
    for (let step = 0; step < window; step += 1) arrays.windowRows[row * window + step] = start + step;
    for (let step = 0; step < horizon; step += 1)
      arrays.targetRows[row * horizon + step] = start + window + step;
    arrays.rowWeights[row] = row < starts.length ? weight : 0;
  }
}
