import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rowsOf } from "./fakes.ts";
import { createService, MAX_PENDING } from "./service.ts";

let service = createService();
beforeEach(() => {
  service = createService();
});
afterEach(() => service.app.close());

const post: typeof service.post = (...request) => service.post(...request);
const get: typeof service.get = (url) => service.get(url);

describe("what operators ask", () => {
  it("answers /ready from whether a model is loaded", async () => {
    expect([(await get("/ready")).statusCode, (await get("/ready")).json()]).toEqual([
      200,
      { status: "ready" },
    ]);
    await service.slot.close();
    expect([(await get("/ready")).statusCode, (await get("/ready")).json()]).toEqual([
      503,
      { status: "not_ready" },
    ]);
  });

  it("answers /healthz as the reference does", async () => {
    expect((await get("/healthz")).json()).toEqual({
      status: "ok",
      service: "inference-api",
      model_ready: true,
      queue_length: 0,
      startup_ready_ms: 12,
    });
  });

  it("answers /predict_ping with what a load test has to know", async () => {
    expect((await get("/predict_ping")).json()).toEqual({
      status: "ok",
      model_loaded: true,
      has_df: false,
      busy: false,
      input_seq_len: 2,
      output_seq_len: 1,
    });
  });

  it("counts requests in /queue_stats and in the metrics by what became of them", async () => {
    await post({ data: rowsOf(2) });
    await post({ data: [] });
    expect((await get("/queue_stats")).json()).toMatchObject({
      status: "ok",
      completed: 1,
      qsize: 0,
      maxsize: MAX_PENDING,
    });
    const metrics = await service.registry.metrics();
    expect(metrics).toMatch(/inference_jobs_outcome_total\{outcome="success",.*\} 1/);
    expect(metrics).toMatch(/inference_jobs_outcome_total\{outcome="client_error",.*\} 1/);
    expect(metrics).toMatch(/inference_model_ready\{.*\} 1/);
    expect(metrics).toMatch(/inference_latency_seconds_count\{.*\} 1/);
  });

  it("reloads on demand and says what is served", async () => {
    const response = await service.app.inject({ method: "POST", url: "/reload_latest" });
    expect([response.statusCode, response.json(), service.state.reloads]).toEqual([
      200,
      { status: "loaded", run_id: "run-1", model_type: "LINEAR", config_hash: "config-1" },
      1,
    ]);
    await service.slot.close();
    const empty = await service.app.inject({ method: "POST", url: "/reload_latest" });
    expect(empty.json()).toEqual({ status: "not_loaded", run_id: null, model_type: null, config_hash: null });
  });

  it.each([
    [4, { old_workers: 1, new_workers: 4, status: "pool_reinitialized" }],
    [1, { old_workers: 1, new_workers: 1, status: "no_change" }],
  ])("scales to %i threads", async (workers, answer) => {
    const response = await post({ workers }, "/scale_workers");
    expect([response.statusCode, response.json(), service.state.threads]).toEqual([200, answer, workers]);
  });

  it.each([
    ["{}", "Invalid 'workers' value"],
    ["", "Invalid 'workers' value"],
    ['{"workers":"4"}', "Invalid 'workers' value"],
    ['{"workers":1.5}', "Invalid 'workers' value"],
    ['{"workers":0}', "workers must be between 1 and 64"],
    ['{"workers":65}', "workers must be between 1 and 64"],
  ])("refuses to scale to %s", async (body, detail) => {
    const response = await post(body, "/scale_workers");
    expect([response.statusCode, response.json()]).toEqual([400, { detail }]);
  });
});
