import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { embeddedIn } from "../../../test/e2e/backends.ts";
import { type ServiceProcess, startService } from "../../../test/e2e/service-process.ts";
import { readStack } from "../stack.ts";

/** Compose's health checks of our services, run as they stand against services as they are; only the ports are others. */

const { services } = readStack();
const home = mkdtempSync(join(tmpdir(), "flts-compose-"));
const common = { ...embeddedIn(home), HOST: "127.0.0.1", PORT: "0", METRICS_PORT: "0", LOG_PRETTY: "0" };
const running = new Map<string, ServiceProcess>();

beforeAll(async () => {
  running.set("gateway", startService("gateway", "gateway", common));
  running.set("eval", startService("eval", "eval", common));
  running.set("train-linear", startService("train", "train", { ...common, MODEL_TYPE: "LINEAR" }));
  running.set("inference", startService("inference", "inference", common));
  await Promise.all([...running.values()].map(({ ready }) => ready));
});

afterAll(async () => {
  for (const service of running.values()) service.stop();
  await Promise.all([...running.values()].map(({ ended }) => ended));
  rmSync(home, { recursive: true, force: true });
});

/** The exit code of a service's health check. */
async function check(name: string): Promise<number | null> {
  const [kind, program, ...parameters] = services[name]?.healthcheck?.test ?? [];
  expect([kind, program]).toEqual(["CMD", "node"]);
  const { url, metricsPort } = (await running.get(name)?.ready) ?? {};
  const address = new Map([
    ["127.0.0.1:9091", `127.0.0.1:${String(metricsPort)}`],
    ["127.0.0.1:8000", String(url).replace("http://", "")],
  ]);
  const moved = parameters.map((text) =>
    text.replace(/127\.0\.0\.1:\d+/, (found) => address.get(found) ?? found),
  );
  return spawnSync(process.execPath, moved).status;
}

test.each(["gateway", "eval", "train-linear"])("%s is healthy when it is ready", async (name) => {
  expect(await check(name)).toBe(0);
});

test("a replica is not healthy before it has a model, and says so on the path that it is asked", async () => {
  expect(await check("inference")).toBe(1);
  const { url } = (await running.get("inference")?.ready) ?? {};
  expect(await (await fetch(`${String(url)}/ready`)).json()).toEqual({ status: "not_ready" });
});
