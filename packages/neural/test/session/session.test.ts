import { expect, test } from "vitest";
import { graphBuilder } from "../../src/graph/graph.ts";
import { encodeModel } from "../../src/graph/model.ts";
import {
  bool,
  type ElementType,
  float32,
  float64,
  int32,
  int64,
  type Tensor,
} from "../../src/graph/tensor.ts";
import { openSession } from "../../src/session/session.ts";

/** Feeds `x` to a model that answers with it, and with an initializer equal to it. */
async function echo(x: Tensor): Promise<readonly Tensor[]> {
  const builder = graphBuilder("echo");
  builder.output("fed", builder.input("x", x.type, x.shape));
  builder.output("stored", builder.constant<ElementType>(x));
  const session = await openSession(encodeModel(builder.build()));
  const { fed, stored } = await session.run({ x });
  await session.close();
  return [fed, stored].filter((value) => value !== undefined);
}

test.each([
  float32([2, 2], [1.5, -2, Number.POSITIVE_INFINITY, 0]),
  float64([3], [Math.PI, Number.NaN, 1e300]),
  int32([2], [-1, 2 ** 31 - 1]),
  int64([2], [-1, 2 ** 53 - 1]),
  bool([2], [true, false]),
])("$type tensors pass through the file and the session unchanged", async (x) => {
  expect(await echo(x)).toEqual([x, x]);
});

test("attributes of every kind are understood by onnxruntime", async () => {
  const builder = graphBuilder("attributes");
  const x = builder.input("x", "float32", ["N", 2]);
  const turned = builder.node(
    { operator: "Transpose", inputs: [x], attributes: { perm: { ints: [1, 0] } } },
    { type: "float32", shape: [2, "N"] },
  );
  const leaky = builder.node(
    { operator: "LeakyRelu", inputs: [turned], attributes: { alpha: { float: 0.5 } } },
    turned,
  );
  builder.output(
    "y",
    builder.node({ operator: "Softmax", inputs: [leaky], attributes: { axis: { int: -1 } } }, leaky),
  );
  const session = await openSession(encodeModel(builder.build()));
  const { y } = await session.run({ x: float32([2, 2], [0, -4, 0, -4]) });
  expect(y).toEqual(float32([2, 2], [0.5, 0.5, 0.5, 0.5]));
});

test("bytes that are no model are refused", async () => {
  await expect(openSession(Uint8Array.of(1, 2, 3))).rejects.toThrow(/model/i);
});

test("several windows are answered by a model with a free dimension", async () => {
  const builder = graphBuilder("double");
  const x = builder.input("x", "float64", ["N"]);
  builder.output("y", builder.node({ operator: "Add", inputs: [x, x] }, x));
  const session = await openSession(encodeModel(builder.build()));
  expect((await session.run({ x: float64([3], [1, 2, 3]) }))["y"]).toEqual(float64([3], [2, 4, 6]));
  expect((await session.run({ x: float64([1], [4]) }))["y"]).toEqual(float64([1], [8]));
});
