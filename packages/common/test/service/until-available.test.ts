import { createManualClock } from "@flts/testing/manual-clock";
import { expect, test } from "vitest";
import { FltsError } from "../../src/contracts/errors.ts";
import { createLogger } from "../../src/service/logger.ts";
import { untilAvailable } from "../../src/service/until-available.ts";

function bench() {
  const clock = createManualClock();
  const stopping = new AbortController();
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({
    service: "example",
    level: "info",
    pretty: false,
    destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  return { clock, lines, stopping, deps: { clock, log, signal: stopping.signal } };
}

/** Fails with one error after the other. */
function refuse(...errors: Error[]): () => Promise<never> {
  return async () => {
    throw errors.shift()!;
  };
}

const away = new FltsError("LOG_UNAVAILABLE", "Kafka did not answer: connection refused");

test("what is there at once is not waited for", async () => {
  const { deps, lines } = bench();
  expect(await untilAvailable(deps, "Kafka", async () => 42)).toBe(42);
  expect(lines).toEqual([]);
});

test("what is away is tried again, a second time soon and then ever later up to five seconds, with one line for each time", async () => {
  const { clock, deps, lines } = bench();
  let attempts = 0;
  const result = untilAvailable(deps, "the topics in Kafka", async () => {
    attempts += 1;
    if (attempts < 8) throw away;
    return attempts;
  });
  await clock.advance(250 + 500 + 1_000 + 2_000 + 4_000 + 5_000 + 4_999);
  expect(attempts).toBe(7);
  await clock.advance(1);
  expect(await result).toBe(8);
  expect(lines.map(({ attempt, retry_ms }) => [attempt, retry_ms])).toEqual([
    [1, 250],
    [2, 500],
    [3, 1_000],
    [4, 2_000],
    [5, 4_000],
    [6, 5_000],
    [7, 5_000],
  ]);
  for (const line of lines)
    expect(line).toMatchObject({
      event: "service_waiting",
      level: "warn",
      waiting_for: "the topics in Kafka",
      code: "LOG_UNAVAILABLE",
      error: "Kafka did not answer: connection refused",
    });
});

test.each([
  new FltsError("LOG_FORBIDDEN", "check KAFKA_SASL_PASSWORD"),
  new FltsError("CLAIM_CORRUPT", "another digest"),
  new TypeError("x is not a function"),
])("what time does not mend is thrown at once: %s", async (error) => {
  const { deps, lines } = bench();
  await expect(untilAvailable(deps, "Kafka", refuse(error))).rejects.toBe(error);
  expect(lines).toEqual([]);
});

test("a fatal fault after retryable ones ends the waiting", async () => {
  const { clock, deps } = bench();
  const forbidden = new FltsError("LOG_FORBIDDEN", "check KAFKA_SASL_PASSWORD");
  const faults = [away, away, forbidden];
  const result = untilAvailable(deps, "Kafka", refuse(...faults));
  await Promise.all([expect(result).rejects.toBe(forbidden), clock.advance(750)]);
});

test("told to stop, it waits no longer and does not try again", async () => {
  const { clock, deps, stopping } = bench();
  let attempts = 0;
  const result = untilAvailable(deps, "Kafka", async () => {
    attempts += 1;
    throw away;
  });
  await clock.advance(0);
  expect(clock.sleeping()).toBe(1);
  stopping.abort();
  await expect(result).rejects.toMatchObject({ name: "AbortError" });
  expect(attempts).toBe(1);
  expect(clock.sleeping()).toBe(0);
});
