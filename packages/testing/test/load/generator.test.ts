import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { runClosedLoop } from "../../src/load/closed-loop.ts";
import { openConnection, type Reply } from "../../src/load/connection.ts";
import { runOpenLoop } from "../../src/load/open-loop.ts";
import { postRequest } from "../../src/load/target.ts";
import { createSeededRandom } from "../../src/seeded-random.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server that answers as it is told, on a port of its own. */
async function startServer(answer: Answer): Promise<{ host: string; port: number }> {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => answer(request, response, body));
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

const echo: Answer = (_request, response, body) => {
  response.setHeader("content-length", Buffer.byteLength(body));
  response.end(body);
};
const requests = Array.from({ length: 7 }, (_, index) => postRequest("/", `body ${index}`));
const bodyOf = ({ bytes }: Reply): string => bytes.toString().split("\r\n\r\n")[1] ?? "";

describe("a connection", () => {
  it("exchanges one request after another, answers of any length and status", async () => {
    const { host, port } = await startServer((request, response, body) => {
      response.statusCode = request.url === "/refused" ? 429 : 200;
      echo(request, response, body);
    });
    const connection = openConnection(host, port);
    for (const body of ["", "short", "x".repeat(300_000), "after"]) {
      const path = body === "short" ? "/refused" : "/";
      const [status, answered] = await new Promise<[number, string]>((resolve) =>
        connection.exchange(postRequest(path, body), (reply) => resolve([reply.status, bodyOf(reply)])),
      );
      expect([status, answered]).toEqual([body === "short" ? 429 : 200, body]);
    }
    connection.close();
  });

  it("tells of an answer that never came, and connects again", async () => {
    let asked = 0;
    const { host, port } = await startServer((request, response, body) => {
      asked += 1;
      if (asked === 1) request.socket.destroy();
      else echo(request, response, body);
    });
    const connection = openConnection(host, port);
    const status = () =>
      new Promise((resolve) => connection.exchange(requests[0]!, (reply) => resolve(reply.status)));
    expect([await status(), await status()]).toEqual([0, 200]);
    connection.close();
  });
});

describe("a closed loop", () => {
  it("sends every request in turn, and gives each reply with the number of its request", async () => {
    const target = await startServer(echo);
    const wrong: number[] = [];
    const onReply = (reply: Reply, index: number): void => {
      if (bodyOf(reply) !== `body ${index}`) wrong.push(index);
    };
    const summary = await runClosedLoop({ ...target, requests, users: 5, durationMs: 200, onReply });
    expect([wrong, summary.failures]).toEqual([[], 0]);
    expect(summary.answered).toBeGreaterThan(requests.length);
    expect(summary.p50Ms).toBeLessThanOrEqual(summary.p99Ms);
    expect(summary.p99Ms).toBeLessThanOrEqual(summary.maxMs);
  });

  it("tells refusals from failures", async () => {
    let asked = 0;
    const target = await startServer((_request, response) => {
      response.statusCode = [200, 429, 500][asked++ % 3]!;
      response.setHeader("content-length", 0);
      response.end();
    });
    const { answered, refused, failures, byStatus } = await runClosedLoop({
      ...target,
      requests,
      users: 2,
      durationMs: 200,
    });
    expect(byStatus).toEqual({ 200: answered, 429: refused, 500: failures });
    expect(failures).toBeGreaterThan(0);
  });
});

describe("an open loop", () => {
  it("sends at its rate, whatever becomes of the requests", async () => {
    const target = await startServer(echo);
    const random = createSeededRandom(1).next;
    const { answered, failures } = await runOpenLoop({
      ...target,
      requests,
      rate: 500,
      durationMs: 1_000,
      random,
    });
    expect(failures).toBe(0);
    expect(answered).toBeGreaterThan(400);
    expect(answered).toBeLessThan(600);
  });

  it("counts latency from the intended start, so that a stall shows in all who came meanwhile", async () => {
    const stalled: (() => void)[] = [];
    const begun = performance.now();
    const target = await startServer((request, response, body) => {
      const answer = (): void => echo(request, response, body);
      if (performance.now() - begun > 300) return answer();
      if (stalled.push(answer) === 1)
        setTimeout(() => {
          for (const go of stalled) go();
        }, 300);
    });
    const random = createSeededRandom(1).next;
    const { p50Ms, maxMs, lateP99Ms, servedP99Ms } = await runOpenLoop({
      ...target,
      requests,
      rate: 300,
      durationMs: 300,
      random,
      connections: 4,
    });
    expect(maxMs).toBeGreaterThan(250);
    expect(p50Ms).toBeGreaterThan(50);
    // Four connections wait for the server, and everybody else for them: the two shares tell so.
    expect(lateP99Ms).toBeGreaterThan(50);
    expect(servedP99Ms).toBeGreaterThan(200);
  });
});
