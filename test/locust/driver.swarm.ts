import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, WORKERS } from "./swarm-process.ts";

/** The driver and a real master with its web page. The cluster is a kubectl that says that all is as it should be; test/cluster has a real one. */

const site = openSite();
const service: Server = createServer((request, response) => {
  const forecast = '{"status":"SUCCESS","predictions":[{"ts":"2026-01-01T00:00:00"}]}';
  request
    .resume()
    .on("end", () => response.end(request.url === "/predict" ? forecast : '{"model_ready":true}'));
});
let connections = 0;
service.on("connection", () => {
  connections++;
});
const kubectl = join(site.folder, "kubectl");
const deployment = (replicas: number): string =>
  JSON.stringify({ spec: { replicas }, status: { replicas, readyReplicas: replicas } });

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    service.listen(0, "127.0.0.1", resolve);
  });
  const answers = [
    "#!/bin/sh",
    'case "$*" in',
    `  *"get deployment locust-worker"*) echo '${deployment(WORKERS)}' ;;`,
    `  *"get deployment inference"*) echo '${deployment(2)}' ;;`,
    "esac",
  ];
  writeFileSync(kubectl, `${answers.join("\n")}\n`);
  chmodSync(kubectl, 0o755);
});

afterAll(async () => {
  service.close();
  await site.close();
});

test("a run of the matrix on a real swarm is a row of the reference's table, a timeline and a report", async () => {
  const up = await site.run(["up", "locust/locustfile.py"], {
    LOCUST_WEIGHTS: "predict=1",
    PREDICT_USER_WAIT_MIN: "0.1",
    PREDICT_USER_WAIT_MAX: "0.2",
    LOCUST_REQUESTS_PER_CONNECTION: "5",
  });
  const master = /LOCUST_URL=(\S+)/.exec(up.output)?.[1] ?? "";
  const host = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const options = {
    "master-url": master,
    "target-host": host,
    kubectl,
    output: site.folder,
    "replica-counts": "2",
    "worker-counts": String(WORKERS),
    "user-counts": "6",
    "test-duration": "5",
    "cool-down": "0",
    "monitoring-interval": "2",
  };
  const parameters = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const { code, output } = await site.run(["-B", "locust/drive.py", "matrix", ...parameters], {}, "python3");
  expect(code, output).toBe(0);
  const [header, row] = readFileSync(join(site.folder, "auto_summary.csv"), "utf8").split("\n");
  const named = new Map(header?.split(",").map((name, index) => [name, row?.split(",")[index] ?? ""]));
  const value = (name: string): number => Number(named.get(name));
  expect(named.get("Status")).toBe("ok");
  expect([value("Replicas"), value("Workers"), value("Users"), value("Failures_Pct")]).toEqual([
    2,
    WORKERS,
    6,
    0,
  ]);
  expect(value("Total_Requests")).toBeGreaterThan(0);
  expect(value("RPS")).toBeGreaterThan(0);
  expect(value("P95_ms")).toBeGreaterThanOrEqual(value("Median_ms"));
  expect(value("P99_ms")).toBeGreaterThanOrEqual(value("P95_ms"));
  // Connections end, so that a balancer finds replicas that came later.
  expect(connections).toBeGreaterThan(value("Total_Requests") / 6);
  const timeline = readFileSync(join(site.folder, `timeline-2-${WORKERS}-6.txt`), "utf8");
  expect(timeline).toMatch(/^Time: T\+\d+s → CPU: – → Replicas: 2 \(2 ready\)\n/);
  await expect
    .poll(() => existsSync(join(site.folder, "report", "report.json")), { timeout: 20_000 })
    .toBe(true);
});
