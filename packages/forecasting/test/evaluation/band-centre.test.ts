import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bandAround, type Centre } from "../../src/evaluation/band.ts";
import { type ForecastStep, LEARNING, learnCentre, scaledErrors } from "../../src/evaluation/band-centre.ts";
import { conformalBounds } from "../../src/evaluation/conformal.ts";
import { normalFrom, seededUniform } from "../../src/random.ts";

const choice = { level: 0.9, minimum: null };

/** A walk of steps as large as its scale, 10, and what `forecastOf` makes of the next value and the last. */
function walk(
  rows: number,
  seed: number,
  forecastOf: (next: number, last: number, row: number, noise: number) => number,
): ForecastStep {
  const normal = normalFrom(seededUniform(seed));
  let level = 1_000;
  const standings: { last: number; scale: number }[] = [];
  const actual = new Float64Array(rows);
  const forecast = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    standings.push({ last: level, scale: 10 });
    actual[row] = level + 12.5 * normal();
    forecast[row] = forecastOf(actual[row]!, level, row, 12.5 * normal());
    level = actual[row]!;
  }
  return { ahead: 0, actual, forecast, standings };
}

const foreseen = (next: number) => next;

/** How far from the last value a centre lies at most, in scales. */
const farthestOf = ({ weight, reach }: Centre) => weight * (reach ?? Number.POSITIVE_INFINITY);

describe("a centre is learnt", () => {
  test("close to the forecasts of a model with skill: they lie in the middle half of their bands", () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0.1, max: 0.6, noNaN: true }), (seed, share) => {
        const step = walk(800, seed, (next, _last, _row, noise) => next + share * noise);
        const centre = learnCentre(step, choice);
        expect(centre.weight).toBeGreaterThanOrEqual(0.75);
        const [lower, upper] = conformalBounds(scaledErrors(step, centre), choice.level);
        const places = step.forecast.map((value, row) => {
          const band = bandAround(value, step.standings[row]!, 0, { centre, lower, upper, minimum: null });
          return (value - band.lower) / (band.upper - band.lower);
        });
        expect(places.filter((place) => place > 0 && place < 1).length).toBeGreaterThan(0.9 * places.length);
        expect(places.filter((place) => place > 0.25 && place < 0.75).length).toBeGreaterThan(
          0.8 * places.length,
        );
      }),
      { numRuns: 25 },
    );
  });

  test("at the last value for a model that errs by more than the target moves", () => {
    const step = walk(800, 3, (_next, last, _row, noise) => last + 10 * noise);
    expect(learnCentre(step, choice)).toEqual({ weight: 0, reach: 0 });
  });

  test("near the last value for a model that loses the level in one part of the rows, however good it is elsewhere", () => {
    const step = walk(800, 4, (next, last, row) => (row >= 400 && row < 600 ? last - 300 : next));
    expect(farthestOf(learnCentre(step, choice))).toBeLessThanOrEqual(0.5);
  });

  test("nowhere where the forecast is the last value: there is nothing to gain", () => {
    expect(
      learnCentre(
        walk(800, 5, (_next, last) => last),
        choice,
      ),
    ).toEqual({ weight: 0, reach: 0 });
  });

  test("as its blocks are judged: the worst of them is more cautious than the mean", () => {
    const step = walk(800, 4, (next, last, row) => (row >= 400 && row < 600 ? last - 300 : next));
    const worst = { ...LEARNING, verdict: (ratios: readonly number[]) => Math.max(...ratios) };
    expect(farthestOf(learnCentre(step, choice, worst))).toBeLessThan(farthestOf(learnCentre(step, choice)));
  });

  test("from eighty rows and more; fewer are drawn in to half a recent change", () => {
    expect(learnCentre(walk(79, 8, foreseen), choice)).toEqual({ weight: 1, reach: 0.5 });
    expect(learnCentre(walk(80, 8, foreseen), choice)).toEqual({ weight: 1, reach: 2 });
  });
});
