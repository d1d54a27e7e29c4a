import { createTable } from "@flts/forecasting/table/table";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { constantModel, promotionOf, rowsOf } from "./fakes.ts";
import { BODY_LIMIT_BYTES, createService, MAX_PENDING } from "./service.ts";

let service = createService();
beforeEach(() => {
  service = createService();
});
afterEach(() => service.app.close());

const post: typeof service.post = (...request) => service.post(...request);

const frame = createTable(
  Float64Array.of(Date.UTC(2018, 2, 5), Date.UTC(2018, 2, 5, 0, 2)),
  ["down", "up"],
  [Float64Array.of(1, 2), Float64Array.of(3, 4)],
);

describe("POST /predict", () => {
  it("forecasts the steps after the rows of the request", async () => {
    const response = await post({ data: rowsOf(30), inference_length: 2 });
    expect([response.statusCode, response.json()]).toEqual([
      200,
      {
        status: "SUCCESS",
        identifier: "default",
        run_id: "run-1",
        model_type: "LINEAR",
        config_hash: "config-1",
        epoch: 1,
        model_version: "1",
        mode: "forecast",
        req_id: expect.stringMatching(/^[0-9a-f]{8}$/),
        cached: false,
        imputed: 0,
        held_at_last_value: ["up"],
        predictions: [
          { ts: "2018-02-06T00:40:00", down: 42, up: null, down_lower: 41, down_upper: 43 },
          { ts: "2018-02-06T00:42:00", down: 42, up: null, down_lower: 41, down_upper: 43 },
        ],
      },
    ]);
  });

  it("lets the query's length win over the body's", async () => {
    const response = await post({ data: rowsOf(2), inference_length: 2 }, "/predict?inference_length=5");
    expect(response.json().predictions).toHaveLength(5);
  });

  it("gives the rows themselves, one step ahead of those before them, in a backtest", async () => {
    const all = await post({ data: rowsOf(5), mode: "backtest" });
    const times = all.json().predictions.map(({ ts }: { ts: string }) => ts.slice(11));
    expect([all.statusCode, all.json().mode, times]).toEqual([
      200,
      "backtest",
      ["23:44:00", "23:46:00", "23:48:00"],
    ]);
    const some = await post({ data: rowsOf(5), mode: "backtest", inference_length: 2 });
    expect(some.json().predictions).toHaveLength(2);
  });

  it("says which columns it held at their last value, where it forecast from its own forecasts", async () => {
    const [one, two] = [
      await post({ data: rowsOf(2) }),
      await post({ data: rowsOf(2), inference_length: 2 }),
    ];
    expect([one.json().held_at_last_value, two.json().held_at_last_value]).toEqual([[], ["up"]]);
  });

  it("counts the cells it imputes", async () => {
    const response = await post({ data: { ...rowsOf(3), down: [1, null, 3] } });
    expect([response.statusCode, response.json().imputed]).toEqual([200, 1]);
  });

  it.each(["null", "{}", '{"inference_length":3}'])("forecasts the cached frame for %s", async (body) => {
    service.state.frame = frame;
    const response = await post(body);
    expect([response.statusCode, response.json().predictions[0].ts]).toEqual([200, "2018-03-05T00:04:00"]);
  });

  // All texts of the reference, in the order of its checks (behaviour §7.3): each body also has the faults of later rows, where it can.
  it.each<[string, string, number, string]>([
    ["no bytes", "", 400, "Request payload must include a non-empty 'data' object"],
    ["half a document", '{"data":', 400, "Request body is not valid JSON"],
    ["NaN, which JSON lacks", '{"data":{"ts":[NaN]}}', 400, "Request body is not valid JSON"],
    ["empty data", '{"data":{}}', 400, "Request payload must include a non-empty 'data' object"],
    ["data that is a list", '{"data":[1]}', 400, "'data' must be an object mapping column names to arrays"],
    ["a column that is no array", '{"data":{"down":1}}', 400, "Failed to interpret 'data' payload: "],
    ["unequal lengths", '{"data":{"a":[1],"b":[]}}', 400, "Failed to interpret 'data' payload: "],
    ["no rows", '{"data":{"a":[]}}', 400, "Request data must include at least one row"],
    ["no times", '{"data":{"a":["x"]}}', 400, "Request must include a timestamp column"],
    ["bad times", '{"data":{"ts":["x"],"a":["x"]}}', 400, "Column 'ts' contains invalid timestamps"],
    [
      "identical times",
      '{"data":{"ts":["2018-02-06 00:00:00","2018-02-06 00:00:00"],"a":["x","y"]}}',
      400,
      "All 2 timestamps are identical (2018-02-06 00:00:00). Expected unique timestamps for time-series inference.",
    ],
    ["text", '{"data":{"ts":["2018-02-06"],"a":["x"]}}', 400, "Columns contain non-numeric values: a"],
    [
      "numbers without end",
      '{"data":{"ts":["2018-02-06"],"a":[1e999]}}',
      400,
      "Columns contain values that are not",
    ],
    [
      "columns that are missing",
      '{"data":{"ts":["2018-02-06","2018-02-07"],"value":[1,2]}}',
      400,
      "Missing required feature columns: down, up",
    ],
    [
      "too few rows",
      '{"data":{"ts":["2018-02-06"],"down":[1],"up":[1]}}',
      400,
      "Insufficient rows: the model needs 2 rows of history, the request has 1",
    ],
    [
      "too few rows to test against",
      JSON.stringify({ data: rowsOf(2), mode: "backtest" }),
      400,
      "Insufficient rows: the model needs 3 rows of history, the request has 2",
    ],
    [
      "times a century off",
      JSON.stringify({ data: { ...rowsOf(2), ts: ["2118-02-06 00:00:00", "2118-02-06 00:02:00"] } }),
      400,
      "Column 'ts' lies decades away from the training data",
    ],
    [
      "huge numbers",
      JSON.stringify({ data: { ...rowsOf(2), up: [1, 1e300] } }),
      400,
      "Columns contain values beyond 1e+30: up",
    ],
    ["no rows and no cached frame", "{}", 400, "No cached dataframe available and no data provided"],
    ["an unknown mode", '{"mode":"guess"}', 400, 'Unknown mode "guess": use "forecast" or "backtest"'],
  ])("answers %s with its text", async (_name, body, status, detail) => {
    const response = await post(body);
    expect(response.statusCode).toBe(status);
    expect(response.json().detail).toContain(detail);
  });

  it.each(["0", "10001", "-1", "1.5", "many"])("answers the length %s with 422", async (length) => {
    const response = await post({ data: rowsOf(2) }, `/predict?inference_length=${length}`);
    expect([response.statusCode, response.json().detail[0].loc]).toEqual([
      422,
      ["query", "inference_length"],
    ]);
  });

  it("answers a body that is too large with 413", async () => {
    expect((await post("x".repeat(BODY_LIMIT_BYTES + 1))).statusCode).toBe(413);
  });

  it("answers a million rows with 413", async () => {
    expect((await post({ data: { ts: Array(1_000_000).fill("2018-02-06") } })).statusCode).toBe(413);
  });

  it("answers 504 when the client's patience has ended, and computes nothing more", async () => {
    const never = Promise.withResolvers<never>();
    service.slot.switchTo({
      promotion: promotionOf(2),
      model: constantModel(1, { forecast: () => never.promise }),
    });
    const response = post({ data: rowsOf(2) }, "/predict", { "x-request-timeout-ms": "50" });
    await expect.poll(async () => (await service.get("/queue_stats")).json().enqueued).toBe(1);
    await service.clock.advance(60);
    expect([(await response).statusCode, (await response).json()]).toEqual([
      504,
      { detail: "Inference timed out" },
    ]);
    expect((await service.get("/queue_stats")).json()).toMatchObject({ timeouts: 1, active: 0, qsize: 0 });
  });

  it.each(["0", "-1", "soon", "1.5", ""])("answers the patience %j with 400", async (patience) => {
    const response = await post({ data: rowsOf(2) }, "/predict", { "x-request-timeout-ms": patience });
    expect([response.statusCode, response.json().detail]).toEqual([
      400,
      "Header x-request-timeout-ms must be a whole number of milliseconds from 1 on",
    ]);
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "application/vnd.apache.arrow.stream"])(
    "answers a body of type %s with 415",
    async (type) => {
      const headers = { "content-type": type };
      const response = await service.app.inject({ method: "POST", url: "/predict", payload: "a=1", headers });
      expect([response.statusCode, Object.keys(response.json())]).toEqual([415, ["detail"]]);
    },
  );

  it("takes a body of deep nesting for what it is", async () => {
    const depth = 20_000;
    const response = await post(`{"data":{"ts":${"[".repeat(depth)}${"]".repeat(depth)}}}`);
    expect([response.statusCode, response.json().detail]).toEqual([
      400,
      "Column 'ts' contains invalid timestamps",
    ]);
  });

  it("answers 503 and when to come back while there is no model, whatever is asked", async () => {
    await service.slot.close();
    for (const body of [{ data: rowsOf(2) }, {}, { data: [] }]) {
      const response = await post(body);
      expect([response.statusCode, response.json(), response.headers["retry-after"]]).toEqual([
        503,
        { detail: "Model not loaded yet" },
        "1",
      ]);
    }
  });

  it("refuses with 429 what is beyond the line", async () => {
    const gate = Promise.withResolvers<void>();
    const { forecast } = constantModel(1);
    const slow = constantModel(1, { forecast: (...args) => gate.promise.then(() => forecast(...args)) });
    service.slot.switchTo({ promotion: promotionOf(2), model: slow });
    const admitted = Array.from({ length: MAX_PENDING }, () => post({ data: rowsOf(2) }));
    await expect.poll(async () => (await service.get("/queue_stats")).json().enqueued).toBe(MAX_PENDING);
    const refused = await post({ data: rowsOf(2) });
    expect([refused.statusCode, refused.json(), refused.headers["retry-after"]]).toEqual([
      429,
      { detail: "Server busy, try again" },
      "1",
    ]);
    // What it asks for is not read any more.
    expect((await post("{")).statusCode).toBe(429);
    gate.resolve();
    expect((await Promise.all(admitted)).map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
  });

  it("answers a model that fails with a bare 500", async () => {
    const model = constantModel(1, { forecast: () => Promise.reject(new TypeError("secret")) });
    service.slot.switchTo({ promotion: promotionOf(2), model });
    const response = await post({ data: rowsOf(2) });
    expect([response.statusCode, response.json()]).toEqual([500, { detail: "Internal Server Error" }]);
    expect((await service.get("/queue_stats")).json()).toMatchObject({
      error_500_total: 1,
      last_error_type: "TypeError",
    });
  });

  it("never answers with a number that is none", async () => {
    service.slot.switchTo({ promotion: promotionOf(2), model: constantModel(Number.NaN) });
    const response = await post({ data: rowsOf(2) });
    expect([response.statusCode, response.json().detail]).toEqual([
      400,
      expect.stringContaining("No finite forecast"),
    ]);
  });

  it("never answers any body with a 5xx", async () => {
    service.state.frame = frame;
    const cell = fc.oneof(
      fc.double(),
      fc.constantFrom(null, 1e308, -0, "2018-02-06 00:00:00", "2018-02-06T00:02:00Z", "", true),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const column = fc.oneof(fc.array(cell, { maxLength: 4 }), fc.jsonValue({ maxDepth: 1 }));
    const name = fc.oneof(fc.constantFrom("ts", "time", "down", "up", "__proto__"), fc.string());
    const body = fc.oneof(
      fc.record(
        {
          data: fc.oneof(fc.dictionary(name, column), fc.constant(rowsOf(3)), fc.jsonValue()),
          index_col: fc.oneof(name, fc.jsonValue()),
          inference_length: fc.oneof(fc.integer({ min: -5, max: 50 }), fc.jsonValue()),
          mode: fc.constantFrom("forecast", "backtest", null),
          identifier: fc.constantFrom(null, "default", 3),
        },
        { requiredKeys: [] },
      ),
      fc.jsonValue(),
    );
    const text = fc.oneof(
      { weight: 4, arbitrary: body.map((value) => JSON.stringify(value) ?? "") },
      { weight: 1, arbitrary: fc.string() },
    );
    await fc.assert(
      fc.asyncProperty(text, async (payload) => {
        const response = await post(payload);
        expect(response.statusCode).toBeLessThan(500);
        const answer = response.json();
        expect(response.statusCode === 200 ? answer.status : typeof answer.detail).toMatch(
          /SUCCESS|string|object/,
        );
      }),
      { numRuns: 500 },
    );
  });
});
