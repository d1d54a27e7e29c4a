import { HttpError } from "@flts/common/service/http";
import { expect, it } from "vitest";
import { answerOf } from "../../src/predict/answer.ts";
import { constantModel, promotionOf } from "../fakes.ts";

const champion = {
  promotion: promotionOf(7, { identifier: "station-1" }),
  model: constantModel(0, { inputColumns: ["down", "rnti_count", "up"], targets: ["up", "down"] }),
};
const forecast = {
  timesMs: Float64Array.of(Date.UTC(2018, 1, 6), Date.UTC(2018, 1, 6, 0, 2)),
  values: Float64Array.of(1, 2, 3, 4),
  lower: Float64Array.of(0, 1, 2, 3),
  upper: Float64Array.of(9, 8, 7, 6),
};
const request = { reqId: "0badcafe", imputed: 3 };

it("names run, model, configuration and epoch, and every column with intervals for the targets", () => {
  expect(answerOf(champion, forecast, request)).toEqual({
    status: "SUCCESS",
    identifier: "station-1",
    run_id: "run-7",
    model_type: "LINEAR",
    config_hash: "config-7",
    epoch: 7,
    req_id: "0badcafe",
    cached: false,
    imputed: 3,
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
        down: 4,
        rnti_count: null,
        up: 3,
        up_lower: 2,
        up_upper: 7,
        down_lower: 3,
        down_upper: 6,
      },
    ],
  });
});

it("calls the only station `default`, as the reference does", () => {
  expect(answerOf({ ...champion, promotion: promotionOf(1) }, forecast, request).identifier).toBe("default");
});

it.each(["values", "lower", "upper"] as const)("refuses to answer with %s that are not finite", (name) => {
  const broken = { ...forecast, [name]: Float64Array.of(1, Number.NaN, 3, 4) };
  expect(() => answerOf(champion, broken, request)).toThrow(HttpError);
});
