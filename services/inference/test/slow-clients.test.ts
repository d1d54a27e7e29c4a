import { connect } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createService } from "./service.ts";

const SLOW_CLIENT_MS = 200;
const service = createService({ slowClientMs: SLOW_CLIENT_MS });
beforeAll(() => service.app.listen({ port: 0, host: "127.0.0.1" }));
afterAll(() => service.app.close());

it.each([
  ["the head", "POST /predict HTTP/1.1\r\nhost: x\r\n"],
  [
    "the body",
    'POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"data":',
  ],
])(
  "refuses a client that does not finish %s of its request, and serves the others meanwhile",
  async (_part, sent) => {
    const { app } = service;
    const { port } = new URL(app.listeningOrigin);
    const received = Promise.withResolvers<string>();
    let text = "";
    const client = connect({ host: "127.0.0.1", port: Number(port) }, () => client.write(sent));
    client.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    client.on("close", () => received.resolve(text));
    expect((await fetch(`${app.listeningOrigin}/healthz`)).status).toBe(200);
    expect(await received.promise).toMatch(/^HTTP\/1.1 408 /);
  },
);
