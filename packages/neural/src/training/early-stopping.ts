/** Remembers the best weights, and says when training has gone on without improvement for too long. */
export interface EarlyStopping {
  /** The epoch with the lowest loss so far, counted from 1; the last of several equal ones. */
  readonly bestEpoch: number;
  readonly best: Float32Array;
  /** Takes note of an epoch; true when `patience` epochs have passed since the best one. */
  isOver(epoch: number, loss: number, parameters: Float32Array): boolean;
}

/** As the reference does (behaviour §5.3): no minimal improvement, and a tie counts as one. */
export function earlyStopping(patience: number, initial: Float32Array): EarlyStopping {
  const best = initial.slice();
  let lowest = Number.POSITIVE_INFINITY;
  let bestEpoch = 0;
  return {
    get bestEpoch() {
      return bestEpoch;
    },
    best,
    isOver(epoch, loss, parameters) {
      if (loss <= lowest) {
        lowest = loss;
        bestEpoch = epoch;
        best.set(parameters);
      }
      return epoch - bestEpoch >= patience;
    },
  };
}
