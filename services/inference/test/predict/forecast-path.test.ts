import { type Artifact, fetchArtifact } from "@flts/families/artifact";
import { forecastAfter } from "@flts/forecasting/recursive";
import { createTable, type Table } from "@flts/forecasting/table/table";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Compute, startCompute } from "../../src/compute/compute.ts";
import { servableModel } from "../../src/model/family-model.ts";
import { createModelSlot } from "../../src/model/model-slot.ts";
import { createForecastPath, type ForecastPath } from "../../src/predict/forecast-path.ts";
import { openAdmission, promotionOf, quietLog } from "../fakes.ts";
import { createStation, openHere, promoteLinear } from "../station.ts";

const station = createStation();
const clock = createManualClock();
let artifact: Artifact;
let compute: Compute;
let forecast: ForecastPath;

beforeAll(async () => {
  const tracker = createMemoryTracker();
  const { run_id: runId } = await promoteLinear(station, tracker, 1);
  artifact = await fetchArtifact(tracker, { runId, family: "LINEAR", manifestSha256: null });
  compute = await startCompute({ threads: 2, maxBatch: 16, clock, onBatch: () => {}, onCrash: () => {} });
  const slot = createModelSlot(quietLog());
  const model = servableModel(artifact.manifest, await compute.open(artifact));
  slot.switchTo({ promotion: promotionOf(1), model });
  forecast = createForecastPath({
    borrow: () => slot.borrow(),
    cachedFrame: () => null,
    admission: openAdmission(clock, { maxPending: 10_000 }),
    nextRequestId: () => "id",
  });
});
afterAll(() => compute.close());

/** The station's rows as if its load had been `factor` times as high: what makes a request different from every other. */
function rowsOf(factor: number): Table {
  const { timesMs, columns, values } = station.testRaw;
  const down = columns.indexOf("down");
  const scaled = values.map((column, index) =>
    index === down ? column.map((cell) => cell * factor) : column,
  );
  return createTable(timesMs, columns, scaled);
}

const ask = (factor: number, steps: number) =>
  forecast(() => ({ table: rowsOf(factor), timeColumn: "ts" }), {
    identifier: null,
    mode: "forecast",
    steps,
    timeoutMs: null,
    isPresent: () => true,
  });

it("gives each of a thousand concurrent requests its own answer, the one that it gets alone", async () => {
  const forecaster = await openHere(artifact);
  const factors = Array.from({ length: 1_000 }, (_, request) => 0.5 + request / 1_000);
  const answers = await Promise.all(factors.map((factor, request) => ask(factor, 1 + (request % 4))));
  for (const [request, factor] of factors.entries()) {
    const { intervals } = artifact.manifest;
    const alone = await forecastAfter(forecaster, intervals, rowsOf(factor), 1 + (request % 4));
    const { values, lower, upper, timesMs } = answers[request]!.forecast;
    expect(timesMs).toEqual(alone.timesMs);
    for (const [own, expected] of [
      [values, alone.forecast],
      [lower, alone.lower],
      [upper, alone.upper],
    ] as const)
      expect(
        own.every((value, step) => Math.abs(value - expected[step]!) <= 1e-6 * Math.abs(expected[step]!)),
      ).toBe(true);
  }
  await forecaster.close();
});

it("crosses no answers, whatever requests of whatever lengths come at once", async () => {
  const request = fc.record({
    factor: fc.double({ min: 0.5, max: 2, noNaN: true }),
    steps: fc.integer({ min: 1, max: 9 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 40 }), async (requests) => {
      const together = await Promise.all(requests.map(({ factor, steps }) => ask(factor, steps)));
      for (const [index, { factor, steps }] of requests.entries()) {
        const { values } = (await ask(factor, steps)).forecast;
        const own = together[index]!.forecast.values;
        expect(own).toHaveLength(steps);
        expect(own.every((value, step) => Math.abs(value / values[step]! - 1) < 1e-6)).toBe(true);
      }
    }),
    { numRuns: 20 },
  );
});
