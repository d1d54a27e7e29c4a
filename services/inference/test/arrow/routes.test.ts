import { Float64, Int16, Int64, TimestampMicrosecond } from "apache-arrow";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { constantModel, promotionOf } from "../fakes.ts";
import { createService } from "../service.ts";
import { readAnswer, streamOf, type TestColumns, timeAt, types } from "./streams.ts";

let service = createService();
beforeEach(() => {
  service = createService();
});
afterEach(() => service.app.close());

const ARROW = "application/vnd.apache.arrow.stream";
const float = new Float64();

const bulk = (payload: Buffer, query = "", type = ARROW) =>
  service.app.inject({
    method: "POST",
    url: `/predict/bulk${query}`,
    payload,
    headers: { "content-type": type },
  });

/** Rows of a request: what is given, or two rows of one series. */
const rowsOf = (columns: TestColumns = {}): TestColumns => ({
  ts: { type: types.time, values: [timeAt(0), timeAt(1)] },
  down: { type: float, values: [1, 2] },
  up: { type: float, values: [3, 4] },
  ...columns,
});
const many = (count: number): number[] => Array.from({ length: count }, (_, row) => row);
const long = (count: number) => ({
  ts: { type: types.time, values: many(count).map(timeAt) },
  down: { type: float, values: many(count) },
  up: { type: float, values: many(count) },
});
const failing = () => Promise.reject(new TypeError("secret"));
const emptied: TestColumns = Object.fromEntries(
  ["down", "up"].map((name) => [name, { type: float, values: [] }]),
);
const text = (...values: (string | null)[]) => ({ type: types.text, values });
const refusalOf = async (payload: Buffer, query = "") => {
  const response = await bulk(payload, query);
  return [response.statusCode, String(response.json().detail)];
};

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

  it.each<[string, () => Buffer, string]>([
    ["no bytes", () => Buffer.alloc(0), "not a readable Arrow stream: it ends before"],
    ["JSON", () => Buffer.from('{"data":{"ts":[]}}'), "a message does not begin with the mark of one"],
    ["half a stream", () => streamOf(rowsOf()).subarray(0, -100), "it ends before its end-of-stream mark"],
    [
      "a stream without its end",
      () => streamOf(rowsOf()).subarray(0, -8),
      "it ends before its end-of-stream mark",
    ],
    [
      "two streams",
      () => Buffer.concat([streamOf(rowsOf()), streamOf(rowsOf())]),
      "something follows its end",
    ],
    [
      "no rows",
      () => streamOf(rowsOf({ ...emptied, ts: { type: types.time, values: [] } })),
      "must include at least one row",
    ],
    [
      "no time stamps",
      () => streamOf({ down: { type: float, values: [1] } }),
      "must include a timestamp column",
    ],
    [
      "columns that are missing",
      () => streamOf({ ts: rowsOf()["ts"]! }),
      "Missing required feature columns: down, up",
    ],
    [
      "text for numbers",
      () => streamOf(rowsOf({ up: text("a", "b") })),
      "Columns contain non-numeric values: up",
    ],
    [
      "dates",
      () => streamOf(rowsOf({ up: { type: types.day, values: [0, 1] } })),
      "Column 'up' is of type date",
    ],
    [
      "categories",
      () => streamOf({ ...rowsOf(), series: { type: types.category, values: ["a", "a"] } }),
      "Column 'series' is dictionary-encoded",
    ],
    [
      "numbers for times",
      () => streamOf(rowsOf({ ts: { type: float, values: [1, 2] } })),
      "Column 'ts' must hold timestamps",
    ],
    [
      "times that are none",
      () => streamOf(rowsOf({ ts: text("2018", "soon") })),
      "Column 'ts' contains invalid timestamps",
    ],
    [
      "a missing time",
      () => streamOf(rowsOf({ ts: { type: types.time, values: [timeAt(0), null] } })),
      "Column 'ts' contains invalid timestamps",
    ],
    [
      "times a century off",
      () => streamOf(rowsOf({ ts: text("2118-01-01 00:00:00", "2118-01-01 00:02:00") })),
      "Series '': Column 'ts' lies decades away",
    ],
    [
      "a time twice",
      () =>
        streamOf({
          ...rowsOf({ ts: { type: types.time, values: [timeAt(0), timeAt(0)] } }),
          series: text("a", "a"),
        }),
      "Series 'a': column 'ts' has 2018-02-05 23:40:00 twice",
    ],
    [
      "too few rows",
      () => streamOf({ ...rowsOf(), series: text("a", "b") }),
      "Series 'a': Insufficient rows: the model needs 2 rows of history, the request has 1",
    ],
    [
      "rows of no series",
      () => streamOf({ ...rowsOf(), series: text("a", null) }),
      "Column 'series' has rows without a series",
    ],
    [
      "series named by numbers with a point",
      () => streamOf({ ...rowsOf(), series: { type: float, values: [1, 1] } }),
      "Column 'series' must hold",
    ],
    [
      "infinite numbers",
      () => streamOf(rowsOf({ up: { type: float, values: [1, Number.POSITIVE_INFINITY] } })),
      "Columns contain values that are not finite: up",
    ],
    [
      "huge numbers",
      () => streamOf(rowsOf({ up: { type: float, values: [1, 1e300] } })),
      "Columns contain values beyond 1e+30: up",
    ],
  ])("answers %s with 400 and what is wrong", async (_name, payload, detail) => {
    expect(await refusalOf(payload())).toEqual([400, expect.stringContaining(detail)]);
  });

  it("refuses rows, batches and bodies beyond its limits with 413", async () => {
    const batch = long(15_000);
    expect(await refusalOf(streamOf(batch, batch))).toEqual([
      413,
      expect.stringContaining("more than 20000 rows"),
    ]);
    expect(await refusalOf(streamOf(long(60_000)))).toEqual([413, expect.stringContaining("max_chunksize")]);
    const large = Buffer.concat([streamOf(long(10)), Buffer.alloc(8 * 1024 ** 2)]);
    expect(await refusalOf(large)).toEqual([413, "Request body is larger than 8388608 bytes"]);
  });

  it.each(["0", "10001", "x", ""])("answers the length %j with 400", async (length) => {
    expect(await refusalOf(streamOf(rowsOf()), `?inference_length=${length}`)).toEqual([
      400,
      expect.stringContaining("inference_length: "),
    ]);
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

  it("never answers bytes of any kind with a 5xx, nor takes long to say so", async () => {
    const whole = streamOf({ ...rowsOf(), series: text("a", "a") });
    const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    const damaged = flips.map((places) => {
      const bytes = Buffer.from(whole);
      for (const [place, byte] of places) bytes[place] = byte;
      return bytes;
    });
    const shortened = fc.nat(whole.length).map((length) => whole.subarray(0, length));
    const noise = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(fc.oneof({ weight: 5, arbitrary: damaged }, shortened, noise), async (payload) => {
        const { statusCode } = await bulk(payload);
        expect([200, 400, 413]).toContain(statusCode);
      }),
      { numRuns: 2_000 },
    );
  });
});
