import { fetchArtifact } from "@flts/families/artifact";
import { lastWindow } from "@flts/forecasting/recursive";
import { sliceRows } from "@flts/forecasting/table/table";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { Float64 } from "apache-arrow";
import { afterAll, expect, it } from "vitest";
import { forecastTable, tableFor } from "../src/batch/batch-forecast.ts";
import { loadPromoted } from "../src/model/load-model.ts";
import { readAnswer, streamOf, types } from "./arrow/streams.ts";
import { openAdmission } from "./fakes.ts";
import { createService } from "./service.ts";
import { createStation, openHere, promoteLinear } from "./station.ts";

const service = createService();
afterAll(() => service.app.close());

const STEPS = 3;

it("gives the same rows the same numbers, whatever way they come", async () => {
  const station = createStation();
  const tracker = createMemoryTracker();
  const promotion = await promoteLinear(station, tracker, 1);
  const artifact = await fetchArtifact(tracker, {
    runId: promotion.run_id,
    family: promotion.model_type,
    manifestSha256: promotion.manifest_sha256,
  });
  const model = await loadPromoted(promotion, async () => artifact, openHere);
  service.slot.switchTo({ promotion, model });
  const history = sliceRows(station.testRaw, 0, 30);
  const columns = history.columns.map((name, index): [string, number[]] => [
    name,
    [...history.values[index]!],
  ]);

  const ts = Array.from(history.timesMs, (timeMs) => formatTimestamp(timeMs));
  const data = { ts, ...Object.fromEntries(columns) };
  const { predictions } = (await service.post({ data, inference_length: STEPS })).json() as {
    predictions: Record<"down" | "down_lower" | "down_upper", number>[];
  };
  const predicted = predictions.map(({ down, down_lower, down_upper }) => [down, down_lower, down_upper]);

  const stream = streamOf({
    ts: { type: types.time, values: [...history.timesMs] },
    ...Object.fromEntries(columns.map(([name, values]) => [name, { type: new Float64(), values }])),
  });
  const bulk = await service.app.inject({
    method: "POST",
    url: `/predict/bulk?inference_length=${STEPS}`,
    payload: stream,
    headers: { "content-type": "application/vnd.apache.arrow.stream" },
  });
  const { rows } = readAnswer(bulk.rawPayload);
  expect(rows.map(({ down, down_lower, down_upper }) => [down, down_lower, down_upper])).toEqual(predicted);

  const forecaster = await openHere(artifact);
  const window = {
    name: "window",
    datatype: "FP64",
    shape: [1, model.window, model.columns.length],
    data: [...lastWindow(forecaster, history)],
  };
  const inferred = (await service.post({ inputs: [window] }, "/v2/models/default/infer")).json() as {
    outputs: { data: number[] }[];
  };
  expect(inferred.outputs.map(({ data: [first] }) => first)).toEqual(predicted[0]);

  const clock = createManualClock();
  const options = {
    admission: openAdmission(clock),
    clock,
    signal: new AbortController().signal,
    steps: STEPS,
  };
  const { ahead } = await forecastTable(tableFor(history, model), model, options);
  expect(Array.from(ahead.values, (value, step) => [value, ahead.lower[step], ahead.upper[step]])).toEqual(
    predicted,
  );
});
