import { Int16, Int64, TimestampMicrosecond } from "apache-arrow";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { constantModel, promotionOf } from "../fakes.ts";
import { createService } from "../service.ts";
import { ARROW, bulkOf, float, many, rowsOf, text } from "./requests.ts";
import { readAnswer, streamOf, timeAt, types } from "./streams.ts";

let service = createService();
beforeEach(() => {
  service = createService();
});
afterEach(() => service.app.close());

const bulk: ReturnType<typeof bulkOf> = (...request) => bulkOf(service)(...request);
const failing = () => Promise.reject(new TypeError("secret"));

/** A model that keeps the histories that it was asked about, and answers the last `down` of each. */
function echoingModel() {
  const histories: { times: number[]; values: number[][] }[] = [];
  const model = constantModel(0, {
    async forecastEach(given, steps) {
      for (const { timesMs, values } of given)
        histories.push({ times: [...timesMs], values: values.map((column) => [...column]) });
      return given.map(({ timesMs, values }) => {
        const forecast = new Float64Array(steps).fill(values[0]!.at(-1)!);
        const times = Float64Array.from(
          { length: steps },
          (_, step) => timesMs.at(-1)! + (step + 1) * 120_000,
        );
        return { timesMs: times, values: forecast, lower: forecast, upper: forecast };
      });
    },
  });
  service.slot.switchTo({ promotion: promotionOf(2), model });
  return histories;
}

describe("POST /predict/bulk", () => {
  it("forecasts the steps after the rows, and says who did", async () => {
    const response = await bulk(streamOf(rowsOf()), "?inference_length=2");
    expect([response.statusCode, response.headers["content-type"]]).toEqual([200, ARROW]);
    const { rows, metadata } = readAnswer(response.rawPayload);
    expect(rows).toEqual(
      [2, 3].map((row) => ({ series: "", ts: timeAt(row), down: 42, down_lower: 41, down_upper: 43 })),
    );
    expect(metadata).toEqual({
      identifier: "default",
      run_id: "run-1",
      model_type: "LINEAR",
      config_hash: "config-1",
      model_version: "1",
    });
  });

  it("keeps series apart, however their rows are mixed and cut into batches", async () => {
    const histories = echoingModel();
    const response = await bulk(
      streamOf(
        {
          ...rowsOf({ down: { type: float, values: [3, 11] } }),
          ts: { type: types.time, values: [timeAt(2), timeAt(1)] },
          series: text("a", "b"),
        },
        {
          ...rowsOf({ down: { type: float, values: [10, 2] } }),
          ts: { type: types.time, values: [timeAt(0), timeAt(1)] },
          series: text("b", "a"),
        },
      ),
    );
    expect(readAnswer(response.rawPayload).rows.map(({ series, ts, down }) => [series, ts, down])).toEqual([
      ["a", timeAt(3), 3],
      ["b", timeAt(2), 11],
    ]);
    expect(histories.map(({ times, values }) => [times, values[0]])).toEqual([
      [
        [timeAt(1), timeAt(2)],
        [2, 3],
      ],
      [
        [timeAt(0), timeAt(1)],
        [10, 11],
      ],
    ]);
  });

  it("answers many series in several batches, in their order", async () => {
    echoingModel();
    const count = 3_000;
    const series = Array.from({ length: 2 * count }, (_, row) => row >> 1);
    const response = await bulk(
      streamOf({
        series: { type: types.text, values: series.map((index) => `s${index}`) },
        ts: { type: types.time, values: series.map((_, row) => timeAt(row % 2)) },
        down: { type: float, values: series },
        up: { type: float, values: series },
      }),
    );
    const { rows, batches } = readAnswer(response.rawPayload);
    expect(rows.map(({ series: name, down }) => [name, down])).toEqual(
      Array.from({ length: count }, (_, index) => [`s${index}`, index]),
    );
    expect(batches).toBeGreaterThan(1);
  });

  it("reads numbers of all widths, missing cells, times of all units and as text, and other names of columns", async () => {
    const histories = echoingModel();
    const micros = [timeAt(0), timeAt(1)];
    await bulk(
      streamOf(
        rowsOf({
          down: { type: new Int16(), values: [-1, null] },
          up: { type: types.float, values: [0.5, 1] },
        }),
      ),
    );
    await bulk(streamOf(rowsOf({ ts: { type: new TimestampMicrosecond(), values: micros } })));
    await bulk(
      streamOf({
        ...rowsOf({ ts: text("x", "y") }),
        when: text("2018-02-05 23:40:00", "2018-02-05T23:42:00"),
      }),
      "?index_col=when",
    );
    await bulk(streamOf({ ...rowsOf(), site: { type: new Int64(), values: [7n, 7n] } }), "?series_col=site");
    expect(histories.map(({ times }) => times)).toEqual(many(4).map(() => [timeAt(0), timeAt(1)]));
    expect(histories[0]?.values).toEqual([
      [-1, Number.NaN],
      [0.5, 1],
    ]);
  });

  it("gives null for a forecast that is not finite", async () => {
    service.slot.switchTo({ promotion: promotionOf(2), model: constantModel(Number.NaN) });
    const { rows } = readAnswer((await bulk(streamOf(rowsOf()))).rawPayload);
    expect(rows).toEqual([{ series: "", ts: timeAt(2), down: null, down_lower: null, down_upper: null }]);
  });

  it("takes nothing but Arrow streams", async () => {
    expect((await bulk(Buffer.from("{}"), "", "application/json")).statusCode).toBe(415);
  });

  it("refuses with 429 what is more than it may have in hand, and takes it afterwards", async () => {
    const gate = Promise.withResolvers<void>();
    const { forecastEach } = constantModel(1);
    const slow = constantModel(1);
    service.slot.switchTo({
      promotion: promotionOf(2),
      model: {
        ...slow,
        forecastEach: (...args) => gate.promise.then(() => forecastEach.call(slow, ...args)),
      },
    });
    const first = bulk(streamOf(rowsOf()));
    await expect.poll(async () => (await service.get("/queue_stats")).json().enqueued).toBe(1);
    const second = await bulk(streamOf(rowsOf()));
    expect([second.statusCode, second.headers["retry-after"]]).toEqual([429, "1"]);
    gate.resolve();
    expect((await first).statusCode).toBe(200);
    expect((await bulk(streamOf(rowsOf()))).statusCode).toBe(200);
  });

  it("breaks the connection off when the deadline passes while the answer goes out", async () => {
    const { forecastEach } = constantModel(1);
    const never = Promise.withResolvers<never>();
    let calls = 0;
    const model = constantModel(1, {
      forecastEach: (histories, steps) =>
        ++calls === 1 ? forecastEach.call(constantModel(1), histories, steps) : never.promise,
    });
    service.slot.switchTo({ promotion: promotionOf(2), model });
    const rows = many(2_000);
    const number = { type: float, values: rows };
    const response = bulk(
      streamOf({
        series: { type: types.text, values: rows.map((row) => String(row >> 1)) },
        ts: { type: types.time, values: rows.map((row) => timeAt(row % 2)) },
        down: number,
        up: number,
      }),
    );
    const outcome = response.then(
      () => "whole",
      () => "broken off",
    );
    await expect.poll(() => calls).toBe(2);
    await service.clock.advance(60_010);
    expect(await outcome).toBe("broken off");
    expect((await service.get("/queue_stats")).json()).toMatchObject({ timeouts: 1, active: 0 });
  });

  it("answers a model that fails at once with 500", async () => {
    const model = constantModel(1, { forecastEach: failing });
    service.slot.switchTo({ promotion: promotionOf(2), model });
    const response = await bulk(streamOf(rowsOf()));
    expect([response.statusCode, response.json()]).toEqual([500, { detail: "Internal Server Error" }]);
  });
});
