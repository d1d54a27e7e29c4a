import { fetchArtifact } from "@flts/families/artifact";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { describe, expect, it } from "vitest";
import { forecastTable, tableFor } from "../../src/batch/batch-forecast.ts";
import { loadPromoted } from "../../src/model/load-model.ts";
import { createForecastPath } from "../../src/predict/forecast-path.ts";
import { readProcessedTable } from "../../src/processed-table.ts";
import { constantModel, openAdmission, promotionOf } from "../fakes.ts";
import { tableFrom } from "../live/lines.ts";
import { createStation, openHere, promoteLinear } from "../station.ts";

const signal = new AbortController().signal;

describe("forecastTable", () => {
  it("gives the numbers that /predict gives for the same rows", async () => {
    const station = createStation();
    const tracker = createMemoryTracker();
    const promotion = await promoteLinear(station, tracker, 1);
    const fetch = () =>
      fetchArtifact(tracker, {
        runId: promotion.run_id,
        family: promotion.model_type,
        manifestSha256: promotion.manifest_sha256,
      });
    const model = await loadPromoted(promotion, fetch, openHere);
    // The train table, which takes several pieces.
    const table = await readProcessedTable(station.trainParquet);
    const clock = createManualClock();
    const admission = openAdmission(clock);
    const history = tableFor(table, model);
    const batch = await forecastTable(history, model, { admission, clock, signal, steps: 5 });
    const path = createForecastPath({
      borrow: () => ({ promotion, model, giveBack: () => {} }),
      cachedFrame: () => ({ table, timeColumn: "time" }),
      admission,
      nextRequestId: () => "0123abcd",
    });
    const call = { identifier: null, timeoutMs: null, isPresent: () => true } as const;
    const backtest = await path(null, { ...call, mode: "backtest", steps: null });
    const ahead = await path(null, { ...call, mode: "forecast", steps: 5 });
    expect(batch.oneStep).toEqual(backtest.forecast);
    expect(batch.ahead).toEqual(ahead.forecast);
    await model.close();
  });

  it("goes on when requests leave room for it", async () => {
    const clock = createManualClock();
    let msPerWindow = 0;
    const admission = openAdmission(clock, { compute: () => ({ msPerWindow, threads: 1 }), maxWaitMs: 10 });
    const model = constantModel(42);
    const busy = Promise.withResolvers<void>();
    const request = admission.run({ timeoutMs: null, isPresent: () => true }, (job) => {
      job.expect(1_000);
      return busy.promise;
    });
    msPerWindow = 1;
    const forecast = forecastTable(tableFrom(0, [1, 2, 3, 4]), model, { admission, clock, signal, steps: 1 });
    await clock.advance(1_000);
    expect(admission.stats()).toMatchObject({ pending: 1 });
    expect(admission.stats().refused).toBeGreaterThan(1);
    busy.resolve();
    await request;
    await clock.advance(1_000);
    expect([...(await forecast).oneStep.values]).toEqual([42, 42]);
  });

  it("ends when its message is taken away", async () => {
    const clock = createManualClock();
    const admission = openAdmission(clock);
    const abort = new AbortController();
    const model = constantModel(42, {
      backtest: async (_history, _steps, caller) => {
        abort.abort(new Error("the partition moved"));
        caller?.check();
        throw new Error("computed for nobody");
      },
    });
    const options = { admission, clock, signal: abort.signal, steps: 1 };
    await expect(forecastTable(tableFrom(0, [1, 2, 3]), model, options)).rejects.toThrow(
      "the partition moved",
    );
  });

  it("refuses values that no finite forecast follows from", async () => {
    const clock = createManualClock();
    const options = { admission: openAdmission(clock), clock, signal, steps: 1 };
    await expect(
      forecastTable(tableFrom(0, [1, 2, 3]), constantModel(Number.POSITIVE_INFINITY), options),
    ).rejects.toMatchObject({ code: "TABLE_INVALID" });
  });
});

describe("tableFor", () => {
  const model = constantModel(42, {
    trainedOn: promotionOf(1) && { fromMs: Date.UTC(2018, 0), toMs: Date.UTC(2018, 1) },
  });
  const good = tableFrom(0, [1, 2, 3]);

  it.each([
    ["COLUMN_MISSING", { ...good, columns: ["down", "sideways"] }],
    ["TABLE_TOO_SHORT", tableFrom(0, [])],
    ["TABLE_TOO_SHORT", tableFrom(0, [1, 2])],
    ["TABLE_INVALID", { ...good, timesMs: good.timesMs.toReversed() }],
    ["TABLE_INVALID", { ...good, timesMs: new Float64Array(3).fill(good.timesMs[0] ?? 0) }],
    ["TABLE_INVALID", { ...good, timesMs: good.timesMs.map((timeMs) => timeMs + 3.2e12) }],
  ])("refuses with %s", (code, table) => {
    expect(() => tableFor(table, model)).toThrow(expect.objectContaining({ code }));
  });

  it("leaves the columns that the model was trained on, in its order", () => {
    expect(tableFor({ ...good, columns: ["up", "down"] }, model).columns).toEqual(["down", "up"]);
  });
});
