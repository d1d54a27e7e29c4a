import { expect, test } from "vitest";
import { graphBuilder } from "../../src/graph/graph.ts";
import { encodeModel } from "../../src/graph/model.ts";
import { float32, type Tensor } from "../../src/graph/tensor.ts";
import { openSession } from "../../src/session/session.ts";
import { adamStep, clipByNorm } from "../../src/training/adam.ts";

async function clip(gradient: readonly number[], limit: number): Promise<readonly (Tensor | undefined)[]> {
  const graph = graphBuilder("clip");
  const { clipped, norm } = clipByNorm(graph, graph.input("gradient", "float32", [gradient.length]), limit);
  graph.output("clipped", clipped);
  graph.output("norm", norm);
  const session = await openSession(encodeModel(graph.build()));
  const results = await session.run({ gradient: float32([gradient.length], gradient) });
  await session.close();
  return [results["clipped"], results["norm"]];
}

test("a gradient within the limit stays as it is", async () => {
  const [clipped, norm] = await clip([3, 4], 5.1);
  expect(clipped?.data).toEqual(Float32Array.of(3, 4));
  expect(norm?.data[0]).toBe(5);
});

test("a gradient beyond the limit is scaled to it", async () => {
  const [clipped] = await clip([3, 4], 1);
  expect(clipped?.data[0]).toBeCloseTo(0.6, 6);
  expect(clipped?.data[1]).toBeCloseTo(0.8, 6);
});

test("a gradient of zero stays zero, and an infinite limit clips nothing", async () => {
  expect((await clip([0, 0], 1))[0]?.data).toEqual(Float32Array.of(0, 0));
  expect((await clip([3e4, 4e4], Number.POSITIVE_INFINITY))[0]?.data).toEqual(Float32Array.of(3e4, 4e4));
});

test("the first step goes as far as the learning rate, whatever the gradient", () => {
  const { stepSize, epsilon } = adamStep(1, 0.01);
  // With M = g and V = g², θ moves by stepSize · g / (|g| + ε).
  for (const gradient of [1e-3, 1, 1e3])
    expect((stepSize * gradient) / (gradient + epsilon)).toBeCloseTo(0.01, 6);
});
