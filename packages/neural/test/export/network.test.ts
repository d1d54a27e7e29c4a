import { expect, test } from "vitest";
import { recurrentNetwork } from "../../src/networks/recurrent.ts";
import { initialWeights } from "../../src/networks/weights.ts";
import { randomStream } from "../../src/random.ts";
import { openSession } from "../../src/session/session.ts";
import { exportError, exported } from "../support/export.ts";
import { waves } from "../support/synthetic.ts";

const cases = (["lstm", "gru"] as const).flatMap((cell) =>
  [
    { numLayers: 1, horizon: 1, targets: [0] },
    { numLayers: 3, horizon: 2, targets: [0, 2] },
  ].map((rest) => ({ cell, ...rest })),
);

test.each(cases)(
  "an exported $cell with $numLayers layers forecasts as in training",
  async ({ cell, numLayers, horizon, targets }) => {
    const architecture = { cell, features: 3, hiddenSize: 16, numLayers, outputs: horizon * targets.length };
    const network = recurrentNetwork(architecture);
    const weights = initialWeights(network.parameters, randomStream(cell));
    const table = { ...waves(), targets };
    expect(await exportError({ network, weights, window: 10, horizon }, table, 64)).toBeLessThan(1e-6);
    expect(await exportError({ network, weights, window: 10, horizon }, table, 1)).toBeLessThan(1e-6);
  },
);

test("an exported file has one input, one output, and no operators but ONNX's own", async () => {
  const network = recurrentNetwork({ cell: "gru", features: 3, hiddenSize: 4, numLayers: 2, outputs: 1 });
  const weights = initialWeights(network.parameters, randomStream("file"));
  const file = exported({ network, weights, window: 5, horizon: 1 }, waves());
  const session = await openSession(file);
  expect(session.inputNames).toEqual(["window"]);
  expect(session.outputNames).toEqual(["forecast"]);
  await session.close();
  expect(Buffer.from(file).includes("com.microsoft")).toBe(false);
});
