import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { pipelineTopics } from "@flts/common/stage/topics";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createOperator, type Operator } from "./operator.ts";

let operator: Operator;
beforeEach(async () => {
  operator = await createOperator();
});
afterEach(() => operator.leave());

/** A gateway that is not ready when it is asked first, and keeps what it is given. */
async function startGateway(refusal: number | null = null, { breaksOff = false } = {}) {
  const received: { readonly path: string; readonly bytes: number }[] = [];
  let asked = 0;
  const server: Server = createServer((request, response) => {
    if (request.url === "/readyz") return void response.writeHead(asked++ === 0 ? 503 : 200).end();
    if (breaksOff && received.length === 0) {
      received.push({ path: "broken off", bytes: 0 });
      return void request.socket.destroy();
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ path: request.url ?? "", bytes: Buffer.concat(chunks).length });
      response.writeHead(refusal ?? 200).end(refusal === null ? "{}" : '{"detail":"too large"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, received, stop: () => server.close() };
}

test("seed waits for the gateway, then brings both files, the test file last", async () => {
  const gateway = await startGateway();
  const { code, result } = await operator.flts("seed", "--url", gateway.url);
  gateway.stop();
  expect({ code, result }).toEqual({ code: 0, result: { seeded: ["synthetic"] } });
  expect(gateway.received.map(({ path }) => path)).toEqual([
    "/upload/dataset/synthetic.csv",
    "/upload/dataset/synthetic_test.csv",
  ]);
  for (const { bytes } of gateway.received) expect(bytes).toBeGreaterThan(10_000);
});

test("a gateway that is gone in the middle of a file is waited for, and gets it again", async () => {
  const gateway = await startGateway(null, { breaksOff: true });
  const { code } = await operator.flts("seed", "--url", gateway.url);
  gateway.stop();
  expect(code).toBe(0);
  expect(gateway.received.map(({ path }) => path)).toEqual([
    "broken off",
    "/upload/dataset/synthetic.csv",
    "/upload/dataset/synthetic_test.csv",
  ]);
});

test("a file that the gateway refuses ends it with the reason", async () => {
  const gateway = await startGateway(413);
  const { code, line } = await operator.flts("seed", "--url", gateway.url);
  gateway.stop();
  expect(code).toBe(1);
  expect(line).toContain("the gateway refused synthetic.csv (413): too large");
});

test("a folder without the named files is a fault that names them", async () => {
  const { code, line } = await operator.flts("seed", "--url", "http://localhost:1", "--data", operator.home);
  expect(code).toBe(1);
  expect(line).toContain("synthetic.csv");
});

test("topics makes every topic with its partitions, and those that are there stay as they are", async () => {
  for (const partitions of ["1", "1"]) {
    const { code, result } = await operator.flts("topics", "--partitions", partitions);
    expect(code).toBe(0);
    expect(result).toEqual({ topics: pipelineTopics(1) });
  }
});

test.each(["0", "1001", "four"])("%s partitions are a fault of usage", async (partitions) => {
  const { code, line } = await operator.flts("topics", "--partitions", partitions);
  expect(code).toBe(2);
  expect(line).toContain("whole number from 1 to 1000");
});
