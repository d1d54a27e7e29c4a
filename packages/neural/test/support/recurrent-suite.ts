import { describe, expect, test } from "vitest";
import { adamMoments } from "../../src/training/adam.ts";
import type { RecurrentCase } from "./recurrent-case.ts";
import { decoded, largestDifference, largestRatio, relativeDistance } from "./tensors.ts";

/**
 * Everything that a small network must have in common with PyTorch. Tolerances are those of the reference fixtures.
 *
 * @param runs  of the case: which to follow
 */
export function recurrentParity(runs: readonly string[], load: () => RecurrentCase): void {
  test("forecasts by the initial weights agree", async () => {
    const stored = load();
    const forecasts = await stored.forecasts(stored.initial);
    expect(largestDifference(forecasts, stored.initialForecasts)).toBeLessThan(1e-6);
  });

  describe.each(runs)("run %s", (name) => {
    test("the first gradient agrees, before and after clipping", async () => {
      const stored = load();
      const run = stored.runOf(name);
      const gradient = await stored.firstGradient(name);
      expect(excess(gradient, stored.flat(run.grad_step0))).toBeLessThan(1);
      // After one step from zero, the first moment (divided by 1 − β₁) is the clipped gradient itself.
      const clipped: Float32Array[] = [];
      await stored.train(name, (_, state) => clipped.push(state.first.slice()), 1);
      expect(excess(clipped[0], stored.flat(run.grad_step0_clipped ?? run.grad_step0))).toBeLessThan(1);
    });

    test("losses, norms, weights on the way, Adam's moments and the last forecasts agree", async () => {
      const stored = load();
      const run = stored.runOf(name);
      const weights: Float32Array[] = [];
      const results = await stored.train(name, (_, state) => weights.push(state.parameters.slice()));
      expect(
        largestRatio(
          results.steps.map((step) => step.loss),
          run.loss,
        ),
      ).toBeLessThan(1e-5);
      expect(
        largestRatio(
          results.steps.map((step) => step.gradientNorm),
          run.grad_norm,
        ),
      ).toBeLessThan(1e-4);
      for (const [steps, expected] of Object.entries(run.weights)) {
        expect(excess(weights[Number(steps) - 1], stored.flat(expected), 2e-6)).toBeLessThan(1);
      }
      const moments = adamMoments(results.state);
      expect(relativeDistance(moments.first, stored.flat(run.adam.exp_avg))).toBeLessThan(1e-4);
      expect(relativeDistance(moments.second, stored.flat(run.adam.exp_avg_sq))).toBeLessThan(1e-4);
      const forecasts = await stored.forecasts(results.state.parameters);
      expect(largestDifference(forecasts, decoded(run.predictions))).toBeLessThan(1e-5);
    });
  });
}

/** How far values are apart, in units of what is allowed: 1e-5 in the relative 2-norm, `absolute` in any one value. */
function excess(actual: Float32Array | undefined, expected: Float32Array, absolute = 1e-6): number {
  const values = actual ?? new Float32Array();
  return Math.max(relativeDistance(values, expected) / 1e-5, largestDifference(values, expected) / absolute);
}
