import { expect, test } from "vitest";
import { earlyStopping } from "../../src/training/early-stopping.ts";

/** Runs through losses, marking each epoch's weights by its number. */
function follow(
  patience: number,
  losses: readonly number[],
): { epochs: number; bestEpoch: number; kept: number | undefined } {
  const stopping = earlyStopping(patience, new Float32Array(1));
  let epochs = 0;
  for (const loss of losses) {
    epochs += 1;
    if (stopping.isOver(epochs, loss, Float32Array.of(epochs))) break;
  }
  return { epochs, bestEpoch: stopping.bestEpoch, kept: stopping.best[0] };
}

test("the best epoch's weights are kept", () => {
  expect(follow(5, [3, 1, 2])).toEqual({ epochs: 3, bestEpoch: 2, kept: 2 });
});

test("training stops after `patience` epochs without improvement", () => {
  expect(follow(2, [3, 1, 2, 2, 0])).toEqual({ epochs: 4, bestEpoch: 2, kept: 2 });
});

test("a tie counts as improvement", () => {
  expect(follow(2, [1, 1, 1, 1])).toEqual({ epochs: 4, bestEpoch: 4, kept: 4 });
});
