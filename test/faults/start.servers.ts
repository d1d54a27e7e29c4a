import { expect, test } from "vitest";
import { startService } from "../e2e/service-process.ts";

/** What only an operator can mend ends a service at its start: once, at once, with one line that says what to look at. */

const everywhere = {
  HOST: "127.0.0.1",
  PORT: "0",
  METRICS_PORT: "0",
  LOG_PRETTY: "0",
  MODEL_TYPE: "LINEAR",
  EXPECTED_MODEL_TYPES: "LINEAR",
};

test.each(["gateway", "preprocess", "train", "eval"])(
  "%s with a wrong secret for the store ends with code 1 and says so",
  async (service) => {
    const { ended, lines } = startService(service, service, {
      ...everywhere,
      AWS_SECRET_ACCESS_KEY: "not-the-secret",
    });
    expect(await ended).toBe(1);
    const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(said.map(({ event }) => event)).toEqual(["service_start", "service_crash"]);
    expect(said.at(-1)).toMatchObject({
      code: "STORE_FORBIDDEN",
      kind: "fatal",
      error: expect.stringContaining("AWS_SECRET_ACCESS_KEY"),
    });
  },
  120_000,
);
