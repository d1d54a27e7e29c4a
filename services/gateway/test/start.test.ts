import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";

/** The real process while its store is away, refuses it, or comes. */

let child: ChildProcess | undefined;
let store: Server | undefined;
afterEach(() => {
  child?.kill("SIGKILL");
  store?.close();
  store?.closeAllConnections();
  store = undefined;
});

interface Started {
  readonly lines: readonly Record<string, unknown>[];
  readonly ended: Promise<number | null>;
  readonly probe: (path: string) => Promise<Response>;
}

async function start(storePort: number): Promise<Started> {
  const metricsPort = await freePort();
  const lines: Record<string, unknown>[] = [];
  const running = spawn(
    process.execPath,
    ["--conditions=source", fileURLToPath(new URL("../src/main.ts", import.meta.url))],
    {
      env: {
        PATH: process.env["PATH"],
        HOST: "127.0.0.1",
        PORT: "0",
        METRICS_PORT: String(metricsPort),
        FLTS_HOME: "/nonexistent/flts",
        KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:9",
        MLFLOW_TRACKING_URI: "http://127.0.0.1:9",
        S3_ENDPOINT: `http://127.0.0.1:${storePort}`,
        AWS_ACCESS_KEY_ID: "somebody",
        AWS_SECRET_ACCESS_KEY: "something",
      },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  child = running;
  createInterface({ input: running.stdout }).on("line", (line) => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  });
  return {
    lines,
    ended: once(running, "close").then(([code]) => code as number | null),
    probe: (path) => fetch(`http://127.0.0.1:${metricsPort}${path}`),
  };
}

/** A store that answers every request in the same way. */
async function openStore(port: number, status: number, body: string): Promise<void> {
  store = createServer((_request, response) => {
    response.writeHead(status, { "content-type": "application/xml" }).end(body);
  });
  store.listen(port, "127.0.0.1");
  await once(store, "listening");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const noBuckets = "<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>";
const refusal = "<Error><Code>InvalidAccessKeyId</Code><Message>nobody knows somebody</Message></Error>";

const patience = { timeout: 30_000, interval: 50 };

describe("a gateway whose store is away", { timeout: 90_000 }, () => {
  test("is alive, not ready, and says what it waits for; when the store comes, it goes on", async () => {
    const port = await freePort();
    const { lines, probe, ended } = await start(port);
    await vi.waitUntil(() => lines.filter(({ event }) => event === "service_waiting").length >= 2, patience);
    expect(lines.find(({ event }) => event === "service_waiting")).toMatchObject({
      waiting_for: "the store",
      code: "STORE_UNAVAILABLE",
      error: expect.stringContaining(String(port)),
    });
    expect((await probe("/healthz")).status).toBe(200);
    const readiness = await probe("/readyz");
    expect(readiness.status).toBe(503);
    expect(await readiness.json()).toMatchObject({ components: { start: false, store: false } });

    await openStore(port, 200, noBuckets);
    await vi.waitUntil(() => lines.some(({ event }) => event === "service_ready"), patience);
    expect((await probe("/readyz")).status).toBe(200);
    child?.kill("SIGTERM");
    expect(await ended).toBe(0);
  });

  test("stops with code 0 when it is told to while it waits", async () => {
    const { lines, ended } = await start(await freePort());
    await vi.waitUntil(() => lines.some(({ event }) => event === "service_waiting"), patience);
    child?.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(lines.filter(({ event }) => event === "service_crash")).toEqual([]);
  });
});

test("a gateway that its store refuses ends with code 1 and one line that says what to check", async () => {
  const port = await freePort();
  await openStore(port, 403, refusal);
  const { lines, ended } = await start(port);
  expect(await ended).toBe(1);
  expect(lines.map(({ event }) => event)).toEqual(["service_start", "service_crash"]);
  expect(lines.at(-1)).toMatchObject({
    code: "STORE_FORBIDDEN",
    kind: "fatal",
    error: expect.stringContaining("AWS_ACCESS_KEY_ID"),
  });
}, 60_000);
