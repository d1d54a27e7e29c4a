import { createNarrator } from "@flts/cli/pipeline/narrate";
import { expect, test } from "vitest";

const told = (event: string, fields: Readonly<Record<string, unknown>>) =>
  createNarrator()("train-lstm", { event, level: "info", fields });

test("what matters to people is told in one line that begins with the service", () => {
  expect(
    told("pipeline_done", {
      train_rows: 15927,
      test_rows: 3982,
      columns: Array(17).fill("x"),
      round: "abcdef0123",
    }),
  ).toBe("train-lstm     15,927 + 3,982 rows, 17 columns, round abcdef01");
  expect(told("train_progress", { epoch: 3, epochs: 10, loss: 0.0123456, stopLoss: 0.02 })).toBe(
    "train-lstm     epoch 3/10, loss 0.01235, stop loss 0.02",
  );
  expect(told("skip_idempotent", { train_rows: 1, test_rows: 2, round: "abcdef0123" })).toMatch(
    /skip_idempotent/,
  );
});

test("progress inside an epoch and what only an operator wants to know are not told", () => {
  expect(told("train_progress", { epoch: 3, epochs: 10, loss: 0.01 })).toBeNull();
  expect(told("message_handled", {})).toBeNull();
});

const skip = (run_id: string) => ({ event: "train_skip_duplicate", level: "info", fields: { run_id } });

test("what a process said last is not said again: whoever hears a message twice announces its result twice", () => {
  const narrate = createNarrator();
  expect(narrate("train-gru", skip("a"))).not.toBeNull();
  expect(narrate("train-gru", skip("a"))).toBeNull();
  expect(narrate("train-lstm", skip("a"))).not.toBeNull();
  expect(narrate("train-gru", skip("b"))).not.toBeNull();
  expect(narrate("train-gru", skip("a"))).not.toBeNull();
});
