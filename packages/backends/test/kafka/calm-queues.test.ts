import { createRequire } from "node:module";
import { calmRequestQueues } from "@flts/backends/kafka/calm-queues";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

/** kafkajs's queue, as a connection uses it. */
interface Queue {
  push(request: {
    readonly entry: { readonly correlationId: number; resolve(): void; reject(): void };
    readonly expectResponse: boolean;
    sendRequest(): void;
  }): void;
  fulfillRequest(response: { correlationId: number; payload: null; size: number }): void;
  maybeThrottle(clientSideThrottleTime: number): void;
}
const RequestQueue = createRequire(import.meta.url)("kafkajs/src/network/requestQueue") as new (
  options: object,
) => Queue;

let sent: number[];
let queue: Queue;

beforeEach(() => {
  vi.useFakeTimers();
  calmRequestQueues();
  sent = [];
  const logger = { debug: () => undefined, warn: () => undefined };
  queue = new RequestQueue({
    maxInFlightRequests: 1,
    requestTimeout: 1_000,
    clientId: "c",
    broker: "b",
    logger,
  });
});
afterEach(() => {
  vi.useRealTimers();
});

function push(correlationId: number): void {
  const entry = { correlationId, apiName: "Fetch", resolve: () => undefined, reject: () => undefined };
  queue.push({ entry, expectResponse: true, sendRequest: () => sent.push(correlationId) });
}
const answer = (correlationId: number): void =>
  queue.fulfillRequest({ correlationId, payload: null, size: 0 });

test("a connection that waits for nothing sets no timer", () => {
  push(1);
  answer(1);
  vi.advanceTimersByTime(100);
  expect(vi.getTimerCount()).toBe(0);
});

test("a request that had to wait goes out after the answer before it", () => {
  push(1);
  push(2);
  expect(sent).toEqual([1]);
  answer(1);
  expect(sent).toEqual([1, 2]);
});

test("a request that came while the broker throttles goes out when that is over", () => {
  queue.maybeThrottle(500);
  push(1);
  vi.advanceTimersByTime(400);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(200);
  expect(sent).toEqual([1]);
});
