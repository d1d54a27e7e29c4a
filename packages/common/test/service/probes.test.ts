import { expect, test } from "vitest";
import { createMetrics } from "../../src/service/metrics.ts";
import { createProbes, serveMetrics } from "../../src/service/probes.ts";

test("a process is ready when all it needs is there", async () => {
  const probes = createProbes();
  let up = true;
  probes.addComponent("store", () => up);
  probes.addComponent("kafka", async () => {});
  expect(await probes.readiness()).toEqual({ status: "ready", components: { store: true, kafka: true } });
  up = false;
  expect(await probes.readiness()).toEqual({
    status: "not_ready",
    components: { store: false, kafka: true },
  });
});

test("a check that throws or does not answer counts as down", async () => {
  const probes = createProbes();
  probes.addComponent("throws", () => {
    throw new Error("down");
  });
  probes.addComponent("hangs", () => new Promise<boolean>(() => {}));
  expect(await probes.readiness()).toEqual({
    status: "not_ready",
    components: { throws: false, hangs: false },
  });
});

test("a component that is only shown does not make a process unready", async () => {
  const probes = createProbes();
  probes.addComponent("model", () => true);
  probes.showComponent("kafka", () => false);
  expect(await probes.readiness()).toEqual({ status: "ready", components: { model: true, kafka: false } });
});

test("a draining process is not ready, whatever it has", async () => {
  const probes = createProbes();
  probes.addComponent("model", () => true);
  probes.drain();
  expect((await probes.readiness()).status).toBe("not_ready");
});

test("metrics and probes answer on one port", async () => {
  const probes = createProbes();
  probes.addComponent("store", () => false);
  const server = await serveMetrics(0, "127.0.0.1", createMetrics("test").registry, probes);
  const ask = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
  expect((await ask("/healthz")).status).toBe(200);
  expect((await ask("/readyz")).status).toBe(503);
  expect((await ask("/elsewhere")).status).toBe(404);
  const metrics = await ask("/metrics");
  expect(metrics.headers.get("content-type")).toMatch(/^text\/plain/);
  expect(await metrics.text()).toContain("stage_attempts_total");
  await server.close();
});
