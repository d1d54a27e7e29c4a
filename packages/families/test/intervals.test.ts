import { bandsOfAll } from "@flts/forecasting/evaluation/intervals";
import { coverage } from "@flts/forecasting/evaluation/metrics";
import { rollForecasts } from "@flts/forecasting/evaluation/rolling";
import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { withTimeFeatures } from "@flts/forecasting/recursive";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { columnOf, rowCount, sliceRows } from "@flts/forecasting/table/table";
import { expect, test } from "vitest";
import { CALIBRATED_STEPS, fitFamily } from "../src/fit.ts";
import { loadModel } from "../src/model.ts";
import { familyOf } from "../src/registry.ts";
import { fitWork } from "./support/fit-work.ts";

test("a model with skill forecasts in the middle half of its bands, which hold nine tenths of what comes, at every step", async () => {
  const raw = synthesizeStation({ seed: 21, rows: 6_000, startMs: Date.UTC(2024, 0, 8) });
  const [past, future] = [sliceRows(raw, 0, 4_500), sliceRows(raw, 4_500)];
  const { train, scaling } = preprocessPair(past, future, defaultSettings("a.csv", "b.csv"));
  const { artifact } = await fitFamily(
    familyOf("LINEAR"),
    fitWork(writeParquet(train, { scaling: JSON.stringify(scaling) }), { settings: { INPUT_SEQ_LEN: 10 } }),
  );
  const model = await loadModel(artifact);
  const measured = withTimeFeatures(future, train.columns);
  const rolled = await rollForecasts(model.forecaster, measured, {
    rows: [0, rowCount(measured)],
    horizon: CALIBRATED_STEPS,
  });
  const { lower, upper } = bandsOfAll(artifact.manifest.intervals, rolled, [columnOf(measured, "down")]);
  for (const step of [0, 4, CALIBRATED_STEPS - 1]) {
    const at = (values: Float64Array) => values.filter((_, index) => index % CALIBRATED_STEPS === step);
    const [low, high] = [at(lower), at(upper)];
    expect(Math.abs(coverage(at(rolled.actual), low, high) - 0.9)).toBeLessThan(0.06);
    const places = at(rolled.forecast).map((value, row) => (value - low[row]!) / (high[row]! - low[row]!));
    const share = (from: number, to: number) =>
      places.filter((place) => place > from && place < to).length / places.length;
    expect(share(0, 1)).toBeGreaterThan(0.99);
    expect(share(0.25, 0.75)).toBeGreaterThan(0.75);
  }
  await model.close();
});
