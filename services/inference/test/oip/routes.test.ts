import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { constantModel, promotionOf } from "../fakes.ts";
import { createService } from "../service.ts";

let service = createService();
beforeEach(() => {
  service = createService();
});
afterEach(() => service.app.close());

const INFER = "/v2/models/default/infer";
const windowOf = (fields: object = {}) => ({
  name: "window",
  datatype: "FP64",
  shape: [1, 2, 2],
  data: [1, 2, 3, 4],
  ...fields,
});
const infer = (payload: unknown, headers: Record<string, string> = {}, url = INFER) =>
  service.post(payload, url, headers);

const time = (fields: object = {}) => ({
  name: "end_time_ms",
  datatype: "INT64",
  shape: [1],
  data: [0],
  ...fields,
});
const answerTensor = (name: string, value: number) => ({
  name,
  datatype: "FP64",
  shape: [2, 1, 1],
  data: [value, value],
});
const failing = () => Promise.reject(new TypeError("secret"));

describe("health and metadata", () => {
  it("is alive and ready while a model is served", async () => {
    expect((await service.get("/v2/health/live")).json()).toEqual({ live: true });
    const ready = await service.get("/v2/health/ready");
    expect([ready.statusCode, ready.json()]).toEqual([200, { ready: true }]);
  });

  it("is alive and not ready without a model", async () => {
    await service.slot.close();
    expect((await service.get("/v2/health/live")).statusCode).toBe(200);
    const ready = await service.get("/v2/health/ready");
    expect([ready.statusCode, ready.json()]).toEqual([503, { ready: false }]);
    const model = await service.get("/v2/models/default/ready");
    expect([model.statusCode, model.json()]).toEqual([503, { error: "Model not loaded yet" }]);
  });

  it("names itself and the extensions it has", async () => {
    expect((await service.get("/v2")).json()).toEqual({
      name: "flts-inference",
      version: "0.1.0",
      extensions: [],
    });
  });

  it.each(["/v2/models/default", "/v2/models/default/versions/1"])(
    "describes the champion's tensors at %s",
    async (url) => {
      expect((await service.get(url)).json()).toEqual({
        name: "default",
        versions: ["1"],
        platform: "flts_linear",
        inputs: [
          { name: "window", datatype: "FP64", shape: [-1, 2, 2] },
          { name: "end_time_ms", datatype: "INT64", shape: [-1] },
        ],
        outputs: ["forecast", "lower", "upper"].map((name) => ({
          name,
          datatype: "FP64",
          shape: [-1, 1, 1],
        })),
        parameters: {
          columns: ["down", "up"],
          targets: ["down"],
          step_ms: 120_000,
          run_id: "run-1",
          model_type: "LINEAR",
          config_hash: "config-1",
        },
      });
      expect((await service.get(`${url}/ready`)).json()).toEqual({ name: "default", ready: true });
    },
  );

  it.each(["", "/ready"])("knows no other version than the one it serves (%s)", async (rest) => {
    const response = await service.get(`/v2/models/default/versions/2${rest}`);
    expect([response.statusCode, response.json()]).toEqual([
      404,
      { error: `model 'default' has no version "2": version 1 is served` },
    ]);
  });

  it("answers what it does not know in the protocol's way", async () => {
    const response = await service.get("/v2/models");
    expect([response.statusCode, response.json()]).toEqual([404, { error: "Not Found" }]);
  });
});

describe("POST /v2/models/{name}/infer", () => {
  it("forecasts windows, with the interval of each", async () => {
    const response = await infer({
      id: "a",
      inputs: [windowOf({ shape: [2, 2, 2], data: [1, 2, 3, 4, 5, 6, 7, null] })],
    });
    expect([response.statusCode, response.json()]).toEqual([
      200,
      {
        model_name: "default",
        model_version: "1",
        id: "a",
        parameters: { run_id: "run-1", model_type: "LINEAR", config_hash: "config-1" },
        outputs: [answerTensor("forecast", 42), answerTensor("lower", 41), answerTensor("upper", 43)],
      },
    ]);
  });

  it("hands the model the numbers of the request, missing ones as NaN, and the times where they are said", async () => {
    const seen: number[][] = [];
    const { forecastWindows } = constantModel(1);
    const model = constantModel(1, {
      forecastWindows: (windows, endTimesMs, caller) => {
        seen.push([...windows], [...endTimesMs]);
        return forecastWindows(windows, endTimesMs, caller);
      },
    });
    service.slot.switchTo({ promotion: promotionOf(2), model });
    const nested = windowOf({
      data: [
        [
          [1, 2],
          [null, 4],
        ],
      ],
    });
    await infer({ inputs: [nested] });
    await infer({ inputs: [{ name: "end_time_ms", datatype: "INT64", shape: [1], data: [5] }, windowOf()] });
    expect(seen).toEqual([[1, 2, Number.NaN, 4], [Number.NaN], [1, 2, 3, 4], [5]]);
  });

  it("gives the outputs that are wanted", async () => {
    const response = await infer({ inputs: [windowOf()], outputs: [{ name: "upper" }] });
    expect(response.json().outputs.map(({ name }: { name: string }) => name)).toEqual(["upper"]);
  });

  it("takes a body whose type is not said, as clients of the protocol send it", async () => {
    const payload = JSON.stringify({ inputs: [windowOf({ datatype: "FP32" })] });
    const response = await service.app.inject({ method: "POST", url: INFER, payload: Buffer.from(payload) });
    expect(response.statusCode).toBe(200);
  });

  it.each<[string, unknown, string]>([
    ["no bytes", "", "body: "],
    ["half a document", '{"inputs":', "Request body is not valid JSON"],
    ["no inputs", {}, "inputs: "],
    [
      "an input without data",
      { inputs: [{ name: "window", datatype: "FP64", shape: [1] }] },
      "inputs.0.data: ",
    ],
    ["a shape of text", { inputs: [windowOf({ shape: ["1"] })] }, "inputs.0.shape.0: "],
    ["no window", { inputs: [time()] }, "inputs: 'window' is missing"],
    [
      "an unknown input",
      { inputs: [windowOf(), windowOf({ name: "x" })] },
      'inputs.1.name: there is no input "x"',
    ],
    ["an input twice", { inputs: [windowOf(), windowOf()] }, "inputs.1.name: 'window' is given twice"],
    [
      "text for numbers",
      { inputs: [windowOf({ datatype: "BYTES" })] },
      "inputs.0.datatype: 'window' must be FP64 or FP32, is \"BYTES\"",
    ],
    [
      "times in floating point",
      { inputs: [windowOf(), time({ datatype: "FP64" })] },
      "inputs.1.datatype: 'end_time_ms' must be INT64",
    ],
    [
      "another window",
      { inputs: [windowOf({ shape: [1, 3, 2] })] },
      "inputs.0.shape: 'window' must be [n, 2, 2] with n of at least 1, is [1, 3, 2]",
    ],
    ["another rank", { inputs: [windowOf({ shape: [2, 2] })] }, "inputs.0.shape: 'window' must be"],
    [
      "no windows",
      { inputs: [windowOf({ shape: [0, 2, 2], data: [] })] },
      "inputs.0.shape: 'window' must be",
    ],
    [
      "too few cells",
      { inputs: [windowOf({ data: [1, 2, 3] })] },
      "input 'window': data has not as many cells as its shape [1, 2, 2]",
    ],
    [
      "cells nested otherwise",
      { inputs: [windowOf({ data: [[[1, 2, 3, 4]]] })] },
      "input 'window': data has not as many",
    ],
    [
      "a shape beyond all memory",
      { inputs: [windowOf({ shape: [1e12, 2, 2], data: [[]] })] },
      "input 'window': data has not as many",
    ],
    ["a cell of text", { inputs: [windowOf({ data: [1, "2", 3, 4] })] }, "input 'window': data[1] is \"2\""],
    ["a huge number", { inputs: [windowOf({ data: [1, 2, 3, 1e31] })] }, "input 'window': data[3] is 1e+31"],
    [
      "too few times",
      { inputs: [windowOf({ shape: [2, 2, 2], data: Array(8).fill(1) }), time()] },
      "input 'end_time_ms': shape must be [2]",
    ],
    ["a broken time", { inputs: [windowOf(), time({ data: [1.5] })] }, "input 'end_time_ms': data[0] is 1.5"],
    [
      "an unknown output",
      { inputs: [windowOf()], outputs: [{ name: "down" }] },
      'outputs.0.name: there is no output "down"',
    ],
  ])("answers %s with 400 and the field's name", async (_name, body, text) => {
    const response = await infer(body);
    expect([response.statusCode, response.json().error]).toEqual([400, expect.stringContaining(text)]);
  });

  it("says so when binary tensors are sent", async () => {
    const response = await infer({}, { "inference-header-content-length": "2" });
    expect([response.statusCode, response.json().error]).toEqual([
      400,
      expect.stringContaining("binary_data=False"),
    ]);
  });

  it("refuses other types than JSON with 415", async () => {
    const response = await infer("a", { "content-type": "text/plain" });
    expect([response.statusCode, response.json().error]).toEqual([
      415,
      expect.stringContaining("text/plain"),
    ]);
  });

  it("says that times may be missing when a forecast without them is not finite", async () => {
    service.slot.switchTo({ promotion: promotionOf(2), model: constantModel(Number.NaN) });
    const [without, given] = [
      await infer({ inputs: [windowOf()] }),
      await infer({ inputs: [windowOf(), time()] }),
    ];
    expect([without.statusCode, without.json().error]).toEqual([
      400,
      expect.stringContaining("'end_time_ms'"),
    ]);
    expect([given.statusCode, given.json().error]).toEqual([400, expect.stringContaining("far outside")]);
  });

  it("answers a model that fails with a bare 500, and counts it", async () => {
    service.slot.switchTo({
      promotion: promotionOf(2),
      model: constantModel(1, { forecastWindows: failing }),
    });
    const response = await infer({ inputs: [windowOf()] });
    expect([response.statusCode, response.json()]).toEqual([500, { error: "Internal Server Error" }]);
    expect((await service.get("/queue_stats")).json()).toMatchObject({ error_500_total: 1 });
  });

  it("never answers any body with a 5xx", async () => {
    const cell = fc.oneof(
      fc.double(),
      fc.constantFrom(null, 1e308, "x", true),
      fc.jsonValue({ maxDepth: 1 }),
    );
    const size = fc.oneof(fc.integer({ min: -1, max: 3 }), fc.constantFrom(1e15, 0.5, "1"));
    const tensor = fc.record(
      {
        name: fc.constantFrom("window", "end_time_ms", "__proto__"),
        datatype: fc.constantFrom("FP64", "FP32", "INT64", "BYTES"),
        shape: fc.oneof(fc.constant([1, 2, 2]), fc.constant([1]), fc.array(size, { maxLength: 4 })),
        data: fc.oneof(
          fc.array(cell, { maxLength: 5 }),
          fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 4, maxLength: 4 }),
          fc.jsonValue({ maxDepth: 4 }),
        ),
      },
      { requiredKeys: ["name", "datatype", "shape"] },
    );
    const body = fc.oneof(
      fc.record(
        { inputs: fc.array(tensor, { maxLength: 3 }), id: fc.jsonValue(), outputs: fc.jsonValue() },
        { requiredKeys: ["inputs"] },
      ),
      fc.jsonValue(),
    );
    await fc.assert(
      fc.asyncProperty(body, async (value) => {
        const response = await infer(JSON.stringify(value));
        expect([200, 400]).toContain(response.statusCode);
        expect(Object.keys(response.json())).toContain(response.statusCode === 200 ? "outputs" : "error");
      }),
      { numRuns: 500 },
    );
  });
});
