import { expect, test } from "vitest";
import { graphBuilder } from "../../src/graph/graph.ts";
import { float32 } from "../../src/graph/tensor.ts";

test("nodes keep the order in which they were made, and optional inputs stay empty", () => {
  const builder = graphBuilder("clip");
  const x = builder.input("x", "float32", ["N"]);
  const limit = builder.constant(float32([], [1]), "limit");
  builder.output("y", builder.node({ operator: "Clip", inputs: [x, undefined, limit] }, x));
  const graph = builder.build();
  expect(graph.nodes.map((node) => node.operator)).toEqual(["Clip"]);
  expect(graph.nodes[0]?.inputs).toEqual(["x", "", "limit"]);
  expect(graph.outputs).toEqual([{ name: "y", type: "float32", shape: ["N"] }]);
});

test("a name can be given only once", () => {
  const builder = graphBuilder("twice");
  builder.input("x", "float32", [1]);
  expect(() => builder.constant(float32([1], [0]), "x")).toThrow("already has a value x");
});

test("a value of another graph is refused", () => {
  const stranger = graphBuilder("other").input("stranger", "float32", [1]);
  const builder = graphBuilder("mine");
  expect(() => builder.node({ operator: "Neg", inputs: [stranger] }, stranger)).toThrow(/reads stranger/);
});

test("an output names what a node computes without a copy, for those who read it too", () => {
  const builder = graphBuilder("outputs");
  const x = builder.input("x", "float32", [1]);
  const y = builder.node({ operator: "Neg", inputs: [x] }, x);
  builder.output("y", y);
  builder.output("z", builder.node({ operator: "Abs", inputs: [y] }, y));
  expect(builder.build().nodes.map(({ inputs, outputs }) => [inputs, outputs])).toEqual([
    [["x"], ["y"]],
    [["y"], ["z"]],
  ]);
});

test("an input or a value that is an output already is copied to become one", () => {
  const builder = graphBuilder("copies");
  const x = builder.input("x", "float32", [1]);
  const y = builder.node({ operator: "Neg", inputs: [x] }, x);
  for (const [name, value] of Object.entries({ echo: x, first: y, second: y })) builder.output(name, value);
  const { nodes } = builder.build();
  expect(nodes.map((node) => node.operator)).toEqual(["Neg", "Identity", "Identity"]);
  expect(nodes[2]).toMatchObject({ inputs: ["first"], outputs: ["second"] });
});
