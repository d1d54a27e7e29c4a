import { expect, test } from "vitest";
import { graphBuilder } from "../../src/graph/graph.ts";
import { squaredError } from "../../src/operators/loss.ts";
import { linear } from "../../src/operators/matrix.ts";
import { startTape } from "../../src/operators/tape.ts";

function regression() {
  const graph = graphBuilder("regression");
  const tape = startTape(graph);
  const [x, targets] = [graph.input("x", "float32", [4, 3]), graph.input("targets", "float32", [4, 2])];
  const [weight, bias] = [graph.input("weight", "float32", [2, 3]), graph.input("bias", "float32", [2])];
  const loss = squaredError(
    tape,
    linear(tape, x, weight, bias),
    targets,
    graph.input("rowWeights", "float32", [4, 1]),
  );
  return { graph, tape, loss, x, weight, bias };
}

test("only what is asked for is sent back: no node computes a gradient by the data", () => {
  const { graph, tape, loss, weight, bias } = regression();
  const products = (): number => graph.build().nodes.filter((node) => node.operator === "Gemm").length;
  expect(products()).toBe(1);
  const [byWeight, byBias] = tape.gradients(loss, [weight, bias]);
  expect(products()).toBe(2);
  expect([byWeight?.shape, byBias?.shape]).toEqual([weight.shape, bias.shape]);
});

test("a gradient by the data can be asked for as well", () => {
  const { tape, loss, x } = regression();
  expect(tape.gradients(loss, [x])[0]?.shape).toEqual([4, 3]);
});

test("a loss that does not depend on a source is a mistake", () => {
  const { graph, tape, loss } = regression();
  const stranger = graph.input("stranger", "float32", [1]);
  expect(() => tape.gradients(loss, [stranger])).toThrow(/does not depend on stranger/);
});

test("a pullback that answers in the wrong shape is found out", () => {
  const graph = graphBuilder("wrong");
  const tape = startTape(graph);
  const x = graph.input("x", "float32", [2]);
  const loss = graph.node({ operator: "ReduceSum", inputs: [x] }, { type: "float32", shape: [] });
  tape.record({ inputs: [x], outputs: [loss], pullback: ([gradient]) => [gradient] });
  expect(() => tape.gradients(loss, [x])).toThrow("The gradient of x has the shape [], not [2]");
});
