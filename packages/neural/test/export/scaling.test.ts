import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type ColumnScaling,
  type FeatureScaling,
  type ForecasterSpec,
  forecaster,
} from "../../src/export/scaling.ts";
import { encodeModel } from "../../src/graph/model.ts";
import { float64, type Tensor } from "../../src/graph/tensor.ts";
import { layout } from "../../src/nodes/layout.ts";
import { openSession } from "../../src/session/session.ts";

const plain: ColumnScaling = { center: 0, divisor: 1, scale: 1, shift: 0 };
/** The traffic column's limits: its scaled values lose digits unless they are computed in double precision. */
const traffic: ColumnScaling = { ...plain, scale: 1 / 2_277_457_856, shift: -1 / 3 };

const spec = (features: readonly FeatureScaling[], targets: readonly ColumnScaling[]): ForecasterSpec => ({
  name: "last_row",
  window: 2,
  horizon: 1,
  features,
  targets,
});

/** A model that forecasts the last row of the window: scaling and its inverse must cancel. */
async function answer(
  model: ForecasterSpec,
  window: Tensor,
  precision: "float32" | "float64",
): Promise<Tensor | undefined> {
  const graph = forecaster(model, precision, (builder, windows) =>
    layout(builder).reshape(layout(builder).slice(windows, 1, 1, 2), ["N", model.features.length]),
  );
  const session = await openSession(encodeModel(graph));
  const { forecast } = await session.run({ window });
  await session.close();
  return forecast;
}

test("what goes in raw comes out raw, for any number of windows", async () => {
  const model = spec([{ ...traffic, missing: 0 }], [traffic]);
  const forecast = await answer(
    model,
    float64([3, 2, 1], [1, 2_000_000_001, 3, 123_456_789, 5, 0.5]),
    "float64",
  );
  expect(forecast?.shape).toEqual([3, 1, 1]);
  for (const [index, expected] of [2_000_000_001, 123_456_789, 0.5].entries())
    expect(Number(forecast?.data[index])).toBeCloseTo(expected, 5);
});

test("a model in single precision keeps seven digits", async () => {
  const model = spec([{ ...traffic, missing: 0 }], [traffic]);
  const forecast = await answer(model, float64([1, 2, 1], [0, 2_000_000_001]), "float32");
  expect(Number(forecast?.data[0]) / 2_000_000_001).toBeCloseTo(1, 6);
});

test("a missing cell is taken for its column's mean", async () => {
  const features = [
    { ...traffic, missing: 10 },
    { ...plain, missing: 20 },
  ];
  const forecast = await answer(
    spec(features, [traffic, plain]),
    float64([1, 2, 2], [0, 0, Number.NaN, Number.NaN]),
    "float64",
  );
  expect(Number(forecast?.data[0])).toBeCloseTo(10, 5);
  expect(Number(forecast?.data[1])).toBe(20);
});

test("the order of operations is (raw − center) / divisor · scale + shift, and its inverse", async () => {
  const column = { center: 7, divisor: 3, scale: 5, shift: 11 };
  const identity = spec([{ ...column, missing: 0 }], [plain]);
  expect((await answer(identity, float64([1, 2, 1], [0, 2]), "float64"))?.data[0]).toBe(
    ((2 - 7) / 3) * 5 + 11,
  );
  const inverse = spec([{ ...plain, missing: 0 }], [column]);
  expect((await answer(inverse, float64([1, 2, 1], [0, 2]), "float64"))?.data[0]).toBe(
    ((2 - 11) / 5) * 3 + 7,
  );
});

test("min–max scaling has no more nodes than it needs", () => {
  const graph = forecaster(spec([{ ...traffic, missing: 0 }], [traffic]), "float64", (_, windows) => windows);
  expect(graph.nodes.map((node) => node.operator)).toEqual([
    "IsNaN",
    "Where",
    "Mul",
    "Add",
    "Reshape",
    "Sub",
    "Div",
  ]);
});

test("any scaling is undone by its inverse", async () => {
  const finite = { noNaN: true, noDefaultInfinity: true } as const;
  const column = fc.record({
    center: fc.double({ min: -1e3, max: 1e3, ...finite }),
    divisor: fc.double({ min: 0.1, max: 1e3, ...finite }),
    scale: fc.double({ min: 0.1, max: 10, ...finite }),
    shift: fc.double({ min: -10, max: 10, ...finite }),
  });
  await fc.assert(
    fc.asyncProperty(column, fc.double({ min: -1e4, max: 1e4, ...finite }), async (scaling, raw) => {
      const model = spec([{ ...scaling, missing: 0 }], [scaling]);
      const forecast = await answer(model, float64([1, 2, 1], [0, raw]), "float64");
      expect(Number(forecast?.data[0])).toBeCloseTo(raw, 8);
    }),
    { numRuns: 25 },
  );
});
