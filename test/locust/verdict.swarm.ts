import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { makeScratch, type Running, startFlts, stationCsv } from "../e2e/flts.ts";
import { openSite, type Site, WORKERS } from "./swarm-process.ts";

/** The swarm against the pipeline as `flts up` starts it, and against services that do not work. */

const scratch = makeScratch();
let pipeline: Running;
let urls: ReadonlyMap<string, string>;
let site: Site;

beforeAll(async () => {
  const data = ["--data", scratch.dataset(stationCsv(600)), "--dataset", "a", "--families", "LINEAR"];
  const ports = ["--gateway-port", "0", "--inference-port", "0", "--eval-port", "0"];
  pipeline = startFlts(["up", "--json", "--home", scratch.home(), ...data, ...ports]);
  const { endpoints } = JSON.parse(await pipeline.firstLine) as {
    endpoints: { name: string; url: string | null }[];
  };
  urls = new Map(endpoints.map(({ name, url }) => [name, url ?? ""]));
});

beforeEach(() => {
  site = openSite();
  return () => site.close();
});

afterAll(async () => {
  pipeline.stop();
  await pipeline.ended;
  scratch.remove();
});

const swarm = ["run", "locust/locustfile.py", "--only-summary", "--host"];

/** Bounds that a busy machine keeps; what they are does not matter here, and failures stay as strict as they are. */
const patient = { THRESHOLD_P50_MS: "2000", THRESHOLD_P95_MS: "10000", THRESHOLD_RPS: "5" };
const brief = {
  LOAD_USERS: "20",
  LOAD_SECONDS: "4",
  PREDICT_USER_WAIT_MIN: "0.1",
  PREDICT_USER_WAIT_MAX: "0.3",
};

const countsOf = (name: string): { requests: number; failures: number } => {
  const row = site.readReport().summary.rows.find((one) => one.name === name);
  return { requests: row?.requests ?? 0, failures: row?.failures ?? 0 };
};

test("a service that works passes: no request fails, and bad input is refused as it should be", async () => {
  const { code, output } = await site.run([...swarm, urls.get("inference") ?? ""], {
    ...patient,
    ...brief,
    LOAD_SHAPE: "ramp",
    LOAD_SECONDS: "8",
    GATEWAY_BASE: urls.get("gateway") ?? "",
  });
  expect(code, output).toBe(0);
  expect(output).toContain(`${WORKERS} workers connected`);
  expect(output).toContain("verdict: passed");
  const { passed, summary } = site.readReport();
  expect(passed).toBe(true);
  expect(summary.total.failures, output).toBe(0);
  for (const name of ["predict", "healthz", "download_processed", "predict_bad_input", "healthz-warm"])
    expect(countsOf(name).requests, name).toBeGreaterThan(0);
  // Each worker warms up once, however many users it has.
  expect(countsOf("predict_warmup").requests).toBe(WORKERS);
  for (const name of ["report.md", "report.html", "latency.svg"])
    expect(existsSync(join(site.folder, "report", name)), name).toBe(true);
});

test("a service that fails as the report's did fails the run", async () => {
  const service = await listen((path) =>
    path.startsWith("/predict")
      ? [500, { detail: "Inference execution failed: division by zero" }]
      : [200, { status: "ok", model_ready: true }],
  );
  const { code, output } = await site.run([...swarm, urlOf(service)], {
    ...patient,
    ...brief,
    LOAD_SHAPE: "sustained",
    THRESHOLDS: "report",
  });
  service.close();
  expect(code, output).toBe(1);
  expect(output).toMatch(/failures: \d\d(\.\d)? %, wanted < 5 % – NOT MET/);
  const { verdict, summary } = site.readReport();
  expect(verdict.criteria.filter(({ met }) => !met).map(({ name }) => name)).toEqual(["failures"]);
  expect(summary.failures[0]).toMatchObject({ error: expect.stringContaining("division by zero") });
  const predict = countsOf("predict");
  expect(predict.failures).toBe(predict.requests);
});

test("a service that takes bad input for good fails the run", async () => {
  const forecast = { status: "SUCCESS", predictions: [{ ts: "2026-01-01T00:00:00", down: 1 }] };
  const service = await listen((path) =>
    path === "/predict" ? [200, forecast] : [200, { model_ready: true }],
  );
  const { code } = await site.run([...swarm, urlOf(service)], { ...patient, ...brief, LOAD_SHAPE: "burst" });
  service.close();
  expect(code).toBe(1);
  const bad = countsOf("predict_bad_input");
  expect(bad.requests).toBeGreaterThan(0);
  expect(bad.failures).toBe(bad.requests);
  expect(countsOf("predict").failures).toBe(0);
});

test("a service that never gets a model, or is not there, fails the run in its time", async () => {
  const { code, output } = await site.run([...swarm, "http://127.0.0.1:9"], {
    ...brief,
    LOAD_SHAPE: "soak",
    LOCUST_WAIT_FOR_MODEL_TIMEOUT: "1",
  });
  expect(code).toBe(1);
  expect(output).toContain("no model after 1 s");
  expect(output).toContain("Connection refused");
});

test("wrong settings end it with the code of a wrong configuration, and name each fault", async () => {
  const { code, output } = await site.run(
    ["python", "-m", "locust", "-f", "locust/locustfile.py", "--headless"],
    { LOAD_SHAPE: "storm", LOAD_USERS: "none" },
  );
  expect(code).toBe(78);
  expect(output).toContain("LOAD_SHAPE=storm: must be one of burst, sustained, ramp, soak");
  expect(output).toContain("LOAD_USERS=none: must be a whole number from 1 on");
});

type Answer = readonly [status: number, body: unknown];

/** A service on loopback that answers as it is told, by path. */
function listen(answer: (path: string) => Answer): Promise<Server> {
  const server = createServer((request, response) => {
    const [status, body] = answer(request.url ?? "");
    request.resume().on("end", () => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
