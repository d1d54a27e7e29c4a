import { expect, test } from "vitest";
import type { LayerWeights, RecurrentLayer } from "../../src/cells/cell.ts";
import { gruLayer } from "../../src/cells/gru.ts";
import { lstmLayer } from "../../src/cells/lstm.ts";
import type { Real } from "../../src/nodes/arithmetic.ts";
import type { Tape } from "../../src/operators/tape.ts";
import { gradientError } from "../support/gradients.ts";

const [features, hidden, batch] = [2, 3, 4];

interface Cell {
  readonly name: string;
  readonly layer: RecurrentLayer;
  readonly gates: number;
}

const cells: readonly Cell[] = [
  { name: "LSTM", layer: lstmLayer, gates: 4 },
  { name: "GRU", layer: gruLayer, gates: 3 },
];

/** The error of the gradients of a layer over `steps` steps, by weights and inputs, of the outputs that `chosen` picks. */
function layerError(
  { layer, gates }: Cell,
  steps: number,
  chosen: (outputs: readonly Real[]) => readonly Real[],
): Promise<number> {
  const rows = gates * hidden;
  const inputs = Array.from({ length: steps }, () => [features, batch]);
  return gradientError(
    [[rows, features], [rows, hidden], [rows], [rows], ...inputs],
    (tape: Tape, values) => {
      const [input, recurrent, inputBias, recurrentBias, ...sequence] = values;
      if (!input || !recurrent || !inputBias || !recurrentBias) return [];
      const weights: LayerWeights = { input, recurrent, inputBias, recurrentBias };
      return chosen(layer(tape, sequence, weights));
    },
  );
}

test.each(cells)(
  "$name: gradients through time agree with finite differences when every state is read",
  async (cell) => {
    expect(await layerError(cell, 4, (outputs) => outputs)).toBeLessThan(2e-3);
  },
);

test.each(cells)("$name: gradients through time agree when only the last state is read", async (cell) => {
  expect(await layerError(cell, 3, (outputs) => outputs.slice(-1))).toBeLessThan(2e-3);
});

test.each(cells)(
  "$name: gradients through time agree when only a state in the middle is read",
  async (cell) => {
    expect(await layerError(cell, 3, (outputs) => outputs.slice(1, 2))).toBeLessThan(2e-3);
  },
);

test.each(cells)("$name: gradients of a single step agree", async (cell) => {
  expect(await layerError(cell, 1, (outputs) => outputs)).toBeLessThan(2e-3);
});
