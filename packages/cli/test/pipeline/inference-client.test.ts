import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { requestForecast } from "@flts/cli/pipeline/inference-client";
import { expect, onTestFinished, test } from "vitest";

/** A service that gives one answer to everything, and remembers what it was asked. */
async function answering(status: number, body: string) {
  const requests: { url: string; body: string }[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((text) => {
      requests.push({ url: request.url ?? "", body: text });
      return response.writeHead(status).end(body);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { requests, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  return Buffer.concat(await request.toArray()).toString();
}

test("the station, the horizon and the measurements are sent, and the answer is read", async () => {
  const { url, requests } = await answering(
    200,
    JSON.stringify({
      status: "SUCCESS",
      run_id: "a1",
      epoch: 2,
      predictions: [{ ts: "t", down: 1, up: null }],
    }),
  );
  const answer = await requestForecast(url, {
    identifier: "Sants",
    horizon: 3,
    data: { ts: ["t0"], down: [null] },
  });
  expect(answer).toMatchObject({ run_id: "a1", epoch: 2, model_type: null });
  expect(requests).toEqual([
    { url: "/predict?inference_length=3", body: '{"identifier":"Sants","data":{"ts":["t0"],"down":[null]}}' },
  ]);
});

test("a request that names no station leaves that to the service", async () => {
  const { url, requests } = await answering(
    200,
    JSON.stringify({ status: "SUCCESS", run_id: "a1", predictions: [] }),
  );
  await requestForecast(url, { identifier: "", horizon: 3 });
  expect(requests).toEqual([{ url: "/predict?inference_length=3", body: "{}" }]);
});

test("a refusal is told with the service's own words", async () => {
  const { url } = await answering(400, '{"detail":"Missing required feature columns: up"}');
  await expect(requestForecast(url, { identifier: "", horizon: 1 })).rejects.toThrow(
    `${url} answered 400: Missing required feature columns: up`,
  );
});

test("an answer that is no forecast is not taken for one", async () => {
  const { url } = await answering(200, "<html>");
  await expect(requestForecast(url, { identifier: "", horizon: 1 })).rejects.toThrow(
    "is no FLTS inference service: <html>",
  );
});

test("a service that is not there is named, with what to do", async () => {
  await expect(requestForecast("http://127.0.0.1:1", { identifier: "", horizon: 1 })).rejects.toThrow(
    /^no inference service answers at http:\/\/127\.0\.0\.1:1: start one with 'pnpm flts up'/,
  );
});
