import { Agent, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { Registry } from "prom-client";
import { afterEach, expect, it } from "vitest";
import { type ErrorCode, FltsError } from "../../src/contracts/errors.ts";
import { createHttpApp, HttpError, refusalOf } from "../../src/service/http.ts";
import { createLogger } from "../../src/service/logger.ts";
import { createProbes } from "../../src/service/probes.ts";

const lines: string[] = [];
const registry = new Registry();
const probes = createProbes();
const log = createLogger({
  service: "test",
  level: "info",
  pretty: false,
  destination: { write: (line: string) => void lines.push(line) },
});

function createApp() {
  registry.clear();
  lines.length = 0;
  const app = createHttpApp({ log, registry, probes, bodyLimitBytes: 100, logRequests: false });
  app.get("/things/:name", (request) => request.params);
  app.post("/things", () => ({}));
  app.get("/broken", () => {
    throw new Error("a secret of ours");
  });
  return app;
}

let app = createApp();
afterEach(async () => {
  await app.close();
  app = createApp();
});

it.each<[ErrorCode, number]>([
  ["OBJECT_NAME_INVALID", 400],
  ["OBJECT_MISSING", 404],
  ["OBJECT_CONFLICT", 409],
  ["OBJECT_TOO_LARGE", 413],
  ["STORE_UNAVAILABLE", 503],
  ["STORE_FORBIDDEN", 500],
])("answers %s with %i", (code, status) => {
  expect(refusalOf(new FltsError(code, "why")).status).toBe(status);
});

it("tells the client when to come back after a retryable fault, but not what failed within", () => {
  const { headers, detail } = refusalOf(new FltsError("STORE_UNAVAILABLE", "10.0.0.7:9000 refused"));
  expect(headers).toEqual({ "retry-after": "1" });
  expect(detail).not.toContain("10.0.0.7");
});

it("lets an HttpError say its own status, detail and headers", () => {
  const { refusal } = new HttpError(429, "busy", { "retry-after": "7" });
  expect(refusalOf(new HttpError(429, "busy", { "retry-after": "7" }))).toEqual(refusal);
});

it("answers a bug with a bare 500 and logs its stack", async () => {
  const response = await app.inject("/broken");
  expect([response.statusCode, response.json()]).toEqual([500, { detail: "Internal Server Error" }]);
  expect(JSON.parse(lines[0] ?? "{}")).toMatchObject({
    event: "http_request_error",
    code: "UNCLASSIFIED",
    error: "a secret of ours",
    path: "/broken",
  });
});

it.each([
  ["an unknown path", { url: "/nowhere" }, 404],
  ["a path that cannot be decoded", { url: "/things/%ff" }, 400],
  ["a body that is too large", { method: "POST", url: "/things", payload: { a: "x".repeat(200) } }, 413],
  ["a body that is not JSON", json("{"), 400],
  ["a body of another type", { ...json("a"), headers: { "content-type": "image/png" } }, 415],
] as const)("answers %s with a detail and no stack", async (_name, options, status) => {
  const response = await app.inject(options);
  expect(response.statusCode).toBe(status);
  expect(Object.keys(response.json())).toEqual(["detail"]);
  expect(response.json().detail).toEqual(expect.any(String));
});

it("serves the probes from the components' state", async () => {
  let up = true;
  probes.addComponent("store", () => up);
  expect((await app.inject("/healthz")).json()).toEqual({ status: "ok" });
  const ready = await app.inject("/readyz");
  expect([ready.statusCode, ready.json()]).toEqual([200, { status: "ready", components: { store: true } }]);
  up = false;
  expect((await app.inject("/readyz")).statusCode).toBe(503);
});

it("counts and times requests by route, not by path", async () => {
  await app.inject("/things/a");
  await app.inject("/things/b");
  await app.inject("/nowhere");
  const metrics = await registry.metrics();
  expect(metrics).toContain('http_requests_total{method="GET",endpoint="/things/:name",status="200"} 2');
  expect(metrics).toContain('http_requests_total{method="GET",endpoint="unmatched",status="404"} 1');
  expect(metrics).toContain("http_requests_in_flight 0");
});

it.each([
  [1, "keep-alive"],
  [10, "keep-alive"],
  [10, "close"],
  [50, "close"],
])("lets a client that sends %i MiB too much see why it was refused (%s)", async (megabytes, connection) => {
  await app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  const headers = { "content-type": "application/json", connection };
  const agent = new Agent({ keepAlive: true });
  const status = new Promise((resolve, reject) => {
    const client = httpRequest(
      { agent, port, host: "127.0.0.1", path: "/things", method: "POST", headers },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    client.on("error", reject);
    client.end(new Uint8Array(megabytes * 1024 ** 2));
  });
  await expect(status).resolves.toBe(413);
  agent.destroy();
});

it.each([
  ["before its headers are sent", false],
  ["while its body is sent", true],
])(
  "stops as soon as the last request is answered, though its connection is kept alive (%s)",
  async (_name, begun) => {
    const arrived = Promise.withResolvers<void>();
    const proceed = Promise.withResolvers<void>();
    const chunks = async function* () {
      if (begun) yield "begun, ";
      arrived.resolve();
      await proceed.promise;
      yield "done";
    };
    app.get("/slow", (_request, reply) => reply.type("text/plain").send(Readable.from(chunks())));
    await app.listen({ port: 0, host: "127.0.0.1" });
    const { port } = app.server.address() as AddressInfo;
    const answer = fetch(`http://127.0.0.1:${port}/slow`).then((response) => response.text());
    await arrived.promise;
    const closed = app.close();
    await new Promise(setImmediate);
    proceed.resolve();
    expect(await answer).toMatch(/done$/);
    const late = new Promise((resolve) => setTimeout(resolve, 2_000, "late").unref());
    expect(await Promise.race([closed.then(() => "closed"), late])).toBe("closed");
  },
);

it("counts a client that went away as such and no longer as in flight", async () => {
  const arrived = Promise.withResolvers<void>();
  app.get("/slow", (_request, reply) => {
    arrived.resolve();
    void reply.hijack();
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  const abort = new AbortController();
  const { port } = app.server.address() as AddressInfo;
  const answer = fetch(`http://127.0.0.1:${port}/slow`, { signal: abort.signal });
  await arrived.promise;
  abort.abort();
  await expect(answer).rejects.toThrow(/abort/);
  await expect
    .poll(() => registry.metrics())
    .toContain('http_requests_total{method="GET",endpoint="/slow",status="499"} 1');
  expect(await registry.metrics()).toContain("http_requests_in_flight 0");
});

function json(payload: string) {
  return {
    method: "POST",
    url: "/things",
    payload,
    headers: { "content-type": "application/json" },
  } as const;
}
