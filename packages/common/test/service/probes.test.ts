import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { Gauge, Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createProbes, type MetricsServer, serveMetrics } from "../../src/service/probes.ts";

test("a process without components is ready", async () => {
  expect(await createProbes().readiness()).toEqual({ status: "ready", components: {} });
});

test("a component is up unless its check says false, throws, or rejects", async () => {
  const probes = createProbes();
  probes.addComponent("model", () => true);
  probes.addComponent("store", () => Promise.resolve());
  expect(await probes.readiness()).toEqual({ status: "ready", components: { model: true, store: true } });
  probes.addComponent("model", () => false);
  probes.addComponent("kafka", () => Promise.reject(new Error("no broker")));
  probes.addComponent("mlflow", () => {
    throw new Error("bug");
  });
  expect(await probes.readiness()).toEqual({
    status: "not_ready",
    components: { model: false, store: true, kafka: false, mlflow: false },
  });
});

test("components are asked anew at every probe", async () => {
  const probes = createProbes();
  let up = true;
  probes.addComponent("store", () => up);
  expect((await probes.readiness()).status).toBe("ready");
  up = false;
  expect((await probes.readiness()).status).toBe("not_ready");
});

test("a check that never answers counts as failed", async () => {
  const probes = createProbes();
  probes.addComponent("store", () => new Promise(() => {}));
  expect(await probes.readiness()).toEqual({ status: "not_ready", components: { store: false } });
});

test("a stopping process is not ready, whatever its components say", async () => {
  const probes = createProbes();
  probes.addComponent("store", () => true);
  probes.drain();
  expect(await probes.readiness()).toEqual({ status: "not_ready", components: { store: true } });
});

const registry = new Registry();
const probes = createProbes();
let server: MetricsServer;
let broken = false;
registry.registerMetric(
  new Gauge({
    name: "answers",
    help: "counted",
    registers: [],
    collect() {
      if (broken) throw new Error("the collector is broken");
      this.set(42);
    },
  }),
);
beforeAll(async () => {
  server = await serveMetrics(0, "127.0.0.1", registry, probes);
});
afterAll(() => server.close());

const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${server.port}${path}`);

test("metrics are Prometheus text", async () => {
  const response = await get("/metrics?name=x");
  expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
  expect(await response.text()).toContain("answers 42");
});

test("the probes answer 200, and 503 when something is missing", async () => {
  expect(await (await get("/healthz")).json()).toEqual({ status: "ok" });
  expect((await get("/readyz")).status).toBe(200);
  probes.addComponent("store", () => false);
  const response = await get("/readyz");
  expect([response.status, await response.json()]).toEqual([
    503,
    { status: "not_ready", components: { store: false } },
  ]);
  expect((await get("/healthz")).status).toBe(200);
});

test("other paths are not found", async () => {
  expect((await get("/etc/passwd")).status).toBe(404);
});

test.each(["//", "//host:x/", "/%", "http://[", "*"])(
  "the path %s is answered, too, and ends nothing",
  async (path) => {
    expect(await rawStatusOf(path)).toMatch(/^HTTP\/1.1 (400|404) /);
    expect((await get("/healthz")).status).toBe(200);
  },
);

test("a broken collector costs the answer, not the process", async () => {
  broken = true;
  expect((await get("/metrics")).status).toBe(500);
  broken = false;
  expect((await get("/metrics")).status).toBe(200);
});

test("a port that is taken is an error of the start", async () => {
  await expect(serveMetrics(server.port, "127.0.0.1", registry, probes)).rejects.toMatchObject({
    code: "EADDRINUSE",
  });
});

/** fetch would tidy the path up. */
async function rawStatusOf(path: string): Promise<string> {
  const socket = connect(server.port, "127.0.0.1");
  socket.end(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  return text(socket);
}
