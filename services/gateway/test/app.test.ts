import { request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { FltsError } from "@flts/common/contracts/errors";
import type { ListedObject, ObjectStore } from "@flts/common/ports/object-store";
import { createLogger } from "@flts/common/service/logger";
import { createMetrics } from "@flts/common/service/metrics";
import { createProbes } from "@flts/common/service/probes";
import { withFaults } from "@flts/testing/faults";
import { createMemoryStore } from "@flts/testing/memory-store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildApp } from "../src/app.ts";

const MAX_BYTES = 1024;

function createGateway(store: ObjectStore = createMemoryStore()) {
  const faults = withFaults(store);
  const app = buildApp({
    store: faults.port,
    log: createLogger({ service: "gateway", level: "silent", pretty: false }),
    registry: createMetrics("gateway").registry,
    probes: createProbes(),
    logRequests: false,
    uploadBuckets: ["dataset"],
    downloadBuckets: ["dataset", "processed-data"],
    uploadMaxBytes: MAX_BYTES,
  });
  return { app, store, faults };
}

let gateway = createGateway();
beforeEach(() => {
  gateway = createGateway();
});
afterEach(() => gateway.app.close());

const upload = (url: string, payload: string | Buffer = "time,down\n") =>
  gateway.app.inject({ method: "POST", url, payload, headers: { "content-type": "text/csv" } });

const download = (headers: Record<string, string> = {}, url = "/download/dataset/a%20b.csv") =>
  gateway.app.inject({ method: "GET", url, headers });

const objects = (bucket = "dataset"): Promise<string[]> =>
  Readable.from(gateway.store.list(bucket, ""))
    .map(({ key }: ListedObject) => key)
    .toArray();

async function listen(): Promise<number> {
  await gateway.app.listen({ port: 0, host: "127.0.0.1" });
  return (gateway.app.server.address() as AddressInfo).port;
}

describe("upload", () => {
  it("stores the body's bytes and answers as the reference does", async () => {
    const bytes = Buffer.from([0, 1, 2, 255]);
    const response = await upload("/upload/dataset/raw/PobleSec.csv", bytes);
    expect([response.statusCode, response.json()]).toEqual([
      200,
      { status: "success", bucket: "dataset", object_name: "raw/PobleSec.csv", size_bytes: 4 },
    ]);
    const stored = await gateway.store.get({ bucket: "dataset", key: "raw/PobleSec.csv" });
    expect(Buffer.from(stored?.bytes ?? [])).toEqual(bytes);
  });

  it.each([["application/json"], ["multipart/form-data; boundary=x"], [undefined]])(
    "takes the body as it is, whatever its type: %s",
    async (type) => {
      const headers = type === undefined ? {} : { "content-type": type };
      const payload = Buffer.from("{not json");
      const response = await gateway.app.inject({
        method: "POST",
        url: "/upload/dataset/a",
        payload,
        headers,
      });
      expect(response.json()).toMatchObject({ size_bytes: payload.byteLength });
    },
  );

  it("replaces an object of the same name", async () => {
    await upload("/upload/dataset/a", "first");
    await upload("/upload/dataset/a", "second");
    const stored = await gateway.store.get({ bucket: "dataset", key: "a" });
    expect(Buffer.from(stored?.bytes ?? []).toString()).toBe("second");
  });

  it("refuses an empty body with 400", async () => {
    expect((await upload("/upload/dataset/a", "")).statusCode).toBe(400);
    expect(await objects()).toEqual([]);
  });

  it("refuses another bucket with 403 and does not create it", async () => {
    const response = await upload("/upload/model-promotion/current.json", "{}");
    expect([response.statusCode, response.json()]).toEqual([
      403,
      { detail: "Uploads go to dataset, not to model-promotion" },
    ]);
    expect(await objects("model-promotion")).toEqual([]);
  });

  it("refuses a body that says it is too large with 413", async () => {
    const response = await upload("/upload/dataset/a", "x".repeat(MAX_BYTES + 1));
    expect([response.statusCode, await objects()]).toEqual([413, []]);
  });

  it("refuses a body that turns out too large with 413, and leaves nothing", async () => {
    const port = await listen();
    const { status, body } = await send(port, "/upload/dataset/a", ["x".repeat(800), "y".repeat(800)]);
    expect([status, body]).toEqual([413, '{"detail":"An upload has at most 1024 bytes (UPLOAD_MAX_BYTES)"}']);
    expect(await objects()).toEqual([]);
  });

  it("takes a body of exactly the limit", async () => {
    expect((await upload("/upload/dataset/a", "x".repeat(MAX_BYTES))).statusCode).toBe(200);
  });

  it.each([["/upload/dataset/../model-promotion/current.json"], ["/upload/dataset/..%2f..%2fescaped"]])(
    "refuses %s with 400 as it comes over the wire",
    async (path) => {
      const port = await listen();
      expect((await send(port, path, ["x"])).status).toBe(400);
      expect(await objects()).toEqual([]);
    },
  );

  it("leaves no half object when the client goes away", async () => {
    const began = Promise.withResolvers<void>();
    const inner = gateway.store;
    const ended = Promise.withResolvers<void>();
    await gateway.app.close();
    gateway = createGateway({
      ...inner,
      put: async (ref, body, options) => {
        began.resolve();
        try {
          return await inner.put(ref, body, options);
        } finally {
          ended.resolve();
        }
      },
    });
    const port = await listen();
    const client = httpRequest({ port, method: "POST", path: "/upload/dataset/a", host: "127.0.0.1" });
    client.on("error", () => {});
    client.setHeader("content-length", 100);
    client.write("only a part");
    await began.promise;
    client.destroy();
    await ended.promise;
    expect(await objects()).toEqual([]);
  });

  it("answers 503 and when to come back while the store is down", async () => {
    gateway.faults.failNext("put", new FltsError("STORE_UNAVAILABLE", "connection refused"));
    const response = await upload("/upload/dataset/a");
    expect([response.statusCode, response.headers["retry-after"]]).toEqual([503, "1"]);
  });
});

describe("download", () => {
  beforeEach(() => upload("/upload/dataset/a%20b.csv", "0123456789"));

  it("gives the object's bytes with the reference's headers", async () => {
    const response = await download();
    expect([response.statusCode, response.body]).toEqual([200, "0123456789"]);
    expect(response.headers).toMatchObject({
      "accept-ranges": "bytes",
      "content-disposition": "attachment; filename*=UTF-8''a%20b.csv",
      "content-length": "10",
      "content-type": "application/octet-stream",
    });
  });

  it("gives one range", async () => {
    const response = await download({ range: "bytes=2-4" });
    expect([response.statusCode, response.body]).toEqual([206, "234"]);
    expect(response.headers).toMatchObject({ "content-range": "bytes 2-4/10", "content-length": "3" });
  });

  it("refuses a range outside the object with 416 and says how large it is", async () => {
    const response = await download({ range: "bytes=10-" });
    expect([response.statusCode, response.headers["content-range"]]).toEqual([416, "bytes */10"]);
  });

  it("gives a range only of the version it belongs to", async () => {
    const etag = String((await download()).headers.etag);
    expect((await download({ range: "bytes=2-4", "if-range": etag })).statusCode).toBe(206);
    await upload("/upload/dataset/a%20b.csv", "abcdefghij");
    expect((await download({ range: "bytes=2-4", "if-range": etag })).body).toBe("abcdefghij");
  });

  it.each([
    ["an absent object", "/download/dataset/none", 404],
    ["an absent bucket", "/download/processed-data/none", 404],
    ["a bucket off the list", "/download/secrets/a", 403],
    ["a path trick", "/download/dataset/%2e%2e%2fsecrets", 400],
    ["an over-long name", `/download/dataset/${"a".repeat(2000)}`, 400],
  ])("refuses %s", async (_name, url, status) => {
    const response = await download({}, url);
    expect([response.statusCode, Object.keys(response.json())]).toEqual([status, ["detail"]]);
  });

  it("answers 503 while the store is down", async () => {
    gateway.faults.failNext("stream", new FltsError("STORE_UNAVAILABLE", "connection refused"));
    const response = await download();
    expect([response.statusCode, response.headers["retry-after"]]).toEqual([503, "1"]);
  });

  it("cuts the connection when the store fails within the object", async () => {
    await gateway.app.close();
    gateway = createGateway({
      ...createMemoryStore(),
      stream: async () => ({ etag: "e", sizeBytes: 10, chunks: breakingOff() }),
    });
    const port = await listen();
    const response = await fetch(`http://127.0.0.1:${port}/download/dataset/a`);
    await expect(response.text()).rejects.toThrow(/terminated/);
  });
});

async function* breakingOff(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("01234");
  throw new FltsError("STORE_UNAVAILABLE", "connection reset");
}

/** Sends the path as it is, which `inject` and `fetch` do not, and the body in chunks of unknown total length. */
function send(port: number, path: string, chunks: readonly string[]) {
  return new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const client = httpRequest({ port, path, method: "POST", host: "127.0.0.1" }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode, body }));
    });
    client.on("error", reject);
    for (const chunk of chunks) client.write(chunk);
    client.end();
  });
}
