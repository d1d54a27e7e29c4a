import { expect, test } from "vitest";
import { FltsError } from "../../src/contracts/errors.ts";
import { createLogger } from "../../src/service/logger.ts";
import { createMetrics } from "../../src/service/metrics.ts";
import { stageReporter } from "../../src/service/stage-report.ts";
import type { AttemptReport } from "../../src/stage/runner.ts";

const delivery: AttemptReport["delivery"] = {
  topic: "training-data",
  partition: 2,
  offset: 2n ** 60n,
  key: "train-claim",
  value: Buffer.from("{}"),
  headers: {},
  publishedAt: Date.now() - 3_000,
  signal: new AbortController().signal,
  commit: () => Promise.resolve(),
};
const error = new FltsError("STORE_UNAVAILABLE", "no answer");

function reporter() {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (text: string) => void lines.push(JSON.parse(text) as Record<string, unknown>),
  };
  const metrics = createMetrics("train");
  const report = stageReporter(
    createLogger({ service: "train", level: "info", pretty: false, destination }),
    metrics,
  );
  const attempt = (
    verdict: AttemptReport["verdict"],
    fault?: unknown,
    { attempt: count, heldMs } = { attempt: 2, heldMs: 1_500 },
  ): void =>
    report({
      stage: "train",
      delivery,
      verdict,
      attempt: count,
      heldMs,
      ...(fault === undefined ? {} : { error: fault }),
    });
  const metric = async (line: string): Promise<string> =>
    (await metrics.registry.metrics()).split("\n").find((text) => text.startsWith(line)) ?? "absent";
  return { attempt, lines, metric };
}

test("a message handled is one info line with its place in the log", () => {
  const { attempt, lines } = reporter();
  attempt({ kind: "commit" });
  expect(lines).toMatchObject([
    {
      level: "info",
      event: "message_handled",
      stage: "train",
      topic: "training-data",
      partition: 2,
      offset: "1152921504606846976",
      key: "train-claim",
      attempt: 2,
      duration_ms: 1_500,
    },
  ]);
});

test.each([
  [{ kind: "retry", delayMs: 99.6 } as const, "message_held", { retry_in_ms: 100 }],
  [{ kind: "dead-letter", code: "STORE_UNAVAILABLE" } as const, "message_dead_lettered", {}],
  [{ kind: "crash", code: "STORE_UNAVAILABLE" } as const, "message_fatal", {}],
])("a failed attempt is one error line that says what becomes of the message", (verdict, event, more) => {
  const { attempt, lines } = reporter();
  attempt(verdict, error);
  expect(lines).toMatchObject([
    { level: "error", event, code: "STORE_UNAVAILABLE", error: "no answer", ...more },
  ]);
});

test("a message that waits for a first model is no error, and a line a minute", () => {
  const { attempt, lines } = reporter();
  const missing = new FltsError("MODEL_MISSING", "not promoted");
  for (const [index, heldMs] of [0, 10_000, 59_999, 60_000, 70_000, 120_001].entries())
    attempt({ kind: "retry", delayMs: 1 }, missing, { attempt: index + 1, heldMs });
  attempt({ kind: "retry", delayMs: 1 }, missing, { attempt: 1, heldMs: 0 });
  expect(lines).toMatchObject(
    [0, 60_000, 120_001, 0].map((duration_ms) => ({
      level: "info",
      event: "message_held",
      code: "MODEL_MISSING",
      error: "not promoted",
      duration_ms,
    })),
  );
});

test("an expired message is one warning under the reference's name, and is counted", async () => {
  const { attempt, lines, metric } = reporter();
  attempt({ kind: "expire" });
  expect(lines).toMatchObject([{ level: "warn", event: "ttl_expired", topic: "training-data" }]);
  expect(
    await metric('stage_attempts_total{stage="train",topic="training-data",verdict="expire",code=""'),
  ).toMatch(/ 1$/);
});

test("attempts are counted by what became of them, and ended messages are timed", async () => {
  const { attempt, metric } = reporter();
  attempt({ kind: "retry", delayMs: 1 }, error);
  expect(await metric("stage_message_seconds_count")).toBe("absent");
  attempt({ kind: "commit" });
  attempt({ kind: "dead-letter", code: "UNCLASSIFIED" }, error);
  const labels = 'stage="train",topic="training-data"';
  expect(await metric(`stage_attempts_total{${labels},verdict="retry",code=""`)).toMatch(/ 1$/);
  expect(await metric(`stage_attempts_total{${labels},verdict="commit",code=""`)).toMatch(/ 1$/);
  expect(await metric(`stage_attempts_total{${labels},verdict="dead-letter",code="UNCLASSIFIED"`)).toMatch(
    / 1$/,
  );
  expect(await metric("stage_message_seconds_count")).toMatch(/ 2$/);
  expect(await metric("stage_queue_age_seconds_sum")).toMatch(/ 6(\.\d+)?$/);
});

test("how long a message is held is shown while it is held, and no longer", async () => {
  const { attempt, metric } = reporter();
  attempt({ kind: "retry", delayMs: 1 }, error);
  expect(await metric("stage_held_seconds")).toMatch(/partition="2".* 1\.5$/);
  attempt({ kind: "commit" });
  expect(await metric("stage_held_seconds")).toMatch(/ 0$/);
});
