import { expect, it } from "vitest";
import { asCached, writeAnswer } from "../../src/predict/answer.ts";
import type { ForecastAnswer } from "../../src/predict/forecast-path.ts";
import { constantModel, promotionOf } from "../fakes.ts";

const champion = {
  promotion: promotionOf(7, { identifier: "station-1" }),
  model: constantModel(0, { inputColumns: ["down", "rnti_count", "up"], targets: ["up", "down"] }),
};
const answer: ForecastAnswer = {
  champion,
  mode: "forecast",
  reqId: "0badcafe",
  imputed: 3,
  held: ["rnti_count"],
  forecast: {
    timesMs: Float64Array.of(Date.UTC(2018, 1, 6), Date.UTC(2018, 1, 6, 0, 2)),
    values: Float64Array.of(1, 2, 3.5e300, -0),
    lower: Float64Array.of(0, 1, 1e-9, 3),
    upper: Float64Array.of(9, 8, 7, 6),
  },
};

it("names run, model, configuration and epoch, and every column with intervals for the targets", () => {
  expect(JSON.parse(writeAnswer(answer))).toEqual({
    status: "SUCCESS",
    identifier: "station-1",
    run_id: "run-7",
    model_type: "LINEAR",
    config_hash: "config-7",
    epoch: 7,
    model_version: "7",
    mode: "forecast",
    req_id: "0badcafe",
    cached: false,
    imputed: 3,
    held_at_last_value: ["rnti_count"],
    predictions: [
      {
        ts: "2018-02-06T00:00:00",
        down: 2,
        rnti_count: null,
        up: 1,
        up_lower: 0,
        up_upper: 9,
        down_lower: 1,
        down_upper: 8,
      },
      {
        ts: "2018-02-06T00:02:00",
        down: 0,
        rnti_count: null,
        up: 3.5e300,
        up_lower: 1e-9,
        up_upper: 7,
        down_lower: 3,
        down_upper: 6,
      },
    ],
  });
});

it("names the model's version in its station, where the promotion has one", () => {
  const versioned = {
    model: constantModel(0, { targets: ["down", "up"] }),
    promotion: promotionOf(7, { version: "2.1.0" }),
  };
  expect(JSON.parse(writeAnswer({ ...answer, champion: versioned })).model_version).toBe("2.1.0");
});

it("calls the only station `default`, as the reference does", () => {
  const only = { model: constantModel(0, { targets: ["down", "up"] }), promotion: promotionOf(1) };
  expect(JSON.parse(writeAnswer({ ...answer, champion: only })).identifier).toBe("default");
});

it("says of a cached answer that it is one, and gives it an id of its own", () => {
  const cached = asCached(writeAnswer(answer), "12345678");
  const { status, cached: flag, req_id, ...rest } = JSON.parse(cached);
  expect([status, flag, req_id]).toEqual(["SUCCESS_CACHED", true, "12345678"]);
  expect(JSON.parse(writeAnswer(answer))).toMatchObject(rest);
});
