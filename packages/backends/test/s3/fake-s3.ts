import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "@flts/common/ports/clock";
import { collect } from "@flts/testing/contract/collect";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { createS3Store } from "../../src/s3/s3-store.ts";

/** What becomes of one request. */
export type Fate =
  | "served"
  /** The connection breaks before the request is carried out. */
  | "dropped"
  /** The request is carried out, and the connection breaks before the answer. */
  | "answer lost"
  /** The answer breaks off in the middle of its body. */
  | "truncated"
  /** Somebody answers with a status and, if it is XML's, an S3 error code. */
  | { readonly status: number; readonly code?: string };

interface FakeObject {
  readonly bytes: Buffer;
  readonly receipt: string | undefined;
}

export interface FakeS3 {
  readonly endpoint: string;
  readonly objects: Map<string, FakeObject>;
  readonly uploads: Map<string, Map<number, Buffer>>;
  /** Requests so far, as `PUT /bucket/key`. */
  readonly requests: string[];
  /** Fates of the coming requests, first come, first served; those after them are served. */
  readonly fates: (Fate | (() => Fate))[];
  close(): Promise<void>;
}

/** An S3 store of a few lines in this process, whose answers get lost on command. Signatures are not checked. */
export async function startFakeS3(): Promise<FakeS3> {
  const objects: FakeS3["objects"] = new Map();
  const uploads: FakeS3["uploads"] = new Map();
  const requests: string[] = [];
  const fates: FakeS3["fates"] = [];
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await collect<Buffer>(request));
    const url = new URL(request.url ?? "", "http://fake");
    requests.push(`${request.method} ${url.pathname}`);
    const next = fates.shift() ?? "served";
    const fate = typeof next === "function" ? next() : next;
    if (fate === "dropped") return void request.socket.destroy();
    if (typeof fate === "object") return refuse(response, fate.status, fate.code);
    if (fate === "served") return serve(request, url, body, response);
    if (fate === "truncated") {
      response.writeHead(200, { "content-length": 1000, etag: '"e"' });
      return void response.write("half", () => setImmediate(() => response.destroy()));
    }
    // The answer is made and goes nowhere.
    response.end = () => (request.socket.destroy(), response);
    serve(request, url, body, response);
  }

  function serve(request: IncomingMessage, url: URL, body: Buffer, response: ServerResponse): void {
    const key = url.pathname;
    const present = objects.get(key);
    const conflict =
      (request.headers["if-none-match"] === "*" && present !== undefined) ||
      (request.headers["if-match"] !== undefined && request.headers["if-match"] !== etagOf(present));
    const receipt = request.headers["x-amz-meta-flts-receipt"] as string | undefined;
    const id = url.searchParams.get("uploadId") ?? "";
    const parts = uploads.get(id);
    if (request.method === "POST" && url.searchParams.has("uploads")) {
      uploads.set(receipt ?? "", new Map());
      return void response.end(
        `<InitiateMultipartUploadResult><UploadId>${receipt}</UploadId></InitiateMultipartUploadResult>`,
      );
    }
    if (id !== "" && parts === undefined) return refuse(response, 404, "NoSuchUpload");
    if (parts !== undefined && request.method === "PUT") {
      parts.set(Number(url.searchParams.get("partNumber")), body);
      return void response.setHeader("etag", '"part"').end();
    }
    if (parts !== undefined && request.method === "DELETE") {
      uploads.delete(id);
      return void response.writeHead(204).end();
    }
    if (request.method === "PUT" || request.method === "POST") {
      if (conflict) return refuse(response, 412, "PreconditionFailed");
      const bytes = parts === undefined ? body : joined(parts);
      objects.set(key, { bytes, receipt: parts === undefined ? receipt : id });
      uploads.delete(id);
      const etag = etagOf(objects.get(key));
      return void response
        .setHeader("etag", etag)
        .end(
          request.method === "POST"
            ? `<CompleteMultipartUploadResult><ETag>${etag}</ETag></CompleteMultipartUploadResult>`
            : undefined,
        );
    }
    if (present === undefined) return refuse(response, 404, "NoSuchKey", request.method === "HEAD");
    response.writeHead(200, {
      etag: etagOf(present),
      "content-length": present.bytes.byteLength,
      ...(present.receipt === undefined ? {} : { "x-amz-meta-flts-receipt": present.receipt }),
    });
    response.end(request.method === "HEAD" ? undefined : present.bytes);
  }

  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    uploads,
    requests,
    fates,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Opens the adapter on a fake; it waits in no time, and writes down how long it would have. */
export function openOn(fake: FakeS3) {
  const waitsMs: number[] = [];
  const clock: Clock = {
    now: () => 0,
    monotonicMs: () => 0,
    sleep: async (ms) => void waitsMs.push(ms),
  };
  const location = {
    endpoint: fake.endpoint,
    region: "us-east-1",
    accessKeyId: "key",
    secretAccessKey: "secret",
    sessionToken: "",
  };
  return { store: createS3Store({ location, clock, random: createSeededRandom(1) }), waitsMs };
}

const joined = (parts: ReadonlyMap<number, Buffer>): Buffer =>
  Buffer.concat([...parts].toSorted(([a], [b]) => a - b).map(([, part]) => part));

const etagOf = (object: FakeObject | undefined): string =>
  object ? `"${createHash("md5").update(object.bytes).digest("hex")}"` : "";

function refuse(response: ServerResponse, status: number, code?: string, wordless = false): void {
  response.writeHead(status, { "content-type": "application/xml" });
  if (wordless) response.end();
  else
    response.end(
      code === undefined ? "<html>no" : `<Error><Code>${code}</Code><Message>no</Message></Error>`,
    );
}
