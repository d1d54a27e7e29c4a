import { advance, noProgress, type Progress, settledWork } from "@flts/cli/pipeline/progress";
import { expect, test } from "vitest";

type Line = { readonly event: string } & Readonly<Record<string, unknown>>;

/** The progress after these lines, one second apart. */
function after(families: readonly string[], lines: readonly Line[]): Progress {
  return lines.reduce(
    (progress, { event, ...fields }, index) =>
      advance(progress, { event, level: "info", fields }, index * 1000),
    noProgress(families),
  );
}

const start = { event: "train_start", model_type: "LSTM", round: "r1", work_key: "w1", run_id: "a1" };
const done = { event: "train_complete", model_type: "LSTM", round: "r1", work_key: "w1", run_id: "a1" };

const progressed = (fields: object): Line => ({ event: "train_progress", model_type: "LSTM", ...fields });

test("preprocess says what it made, and how long it took", () => {
  const { preprocess } = after(
    [],
    [
      { event: "download_start" },
      {
        event: "pipeline_done",
        round: "r1",
        config_hash: "c1",
        train_rows: 9,
        test_rows: 3,
        columns: ["down", "up"],
      },
      { event: "success", duration_ms: 800, result: "ok" },
    ],
  );
  expect(preprocess).toEqual({
    state: "done",
    begunMs: 0,
    endedMs: 2000,
    round: "r1",
    configHash: "c1",
    rows: { train: 9, test: 3 },
    columnNames: ["down", "up"],
  });
});

test("data that was preprocessed before is cached", () => {
  const { preprocess } = after(
    [],
    [{ event: "download_start" }, { event: "skip_idempotent", round: "r1" }, { event: "success" }],
  );
  expect(preprocess).toMatchObject({ state: "cached", round: "r1" });
});

test("a training gathers its losses epoch by epoch, the last of an epoch counts", () => {
  const { families } = after(
    ["LSTM"],
    [
      start,
      progressed({ fraction: 0.25, epoch: 1, epochs: 2, loss: 9 }),
      progressed({ fraction: 0.5, epoch: 1, epochs: 2, loss: 8, stopLoss: 7 }),
      progressed({ fraction: 1, epoch: 2, epochs: 2, loss: 4, stopLoss: 3 }),
    ],
  );
  expect(families.get("LSTM")).toMatchObject({
    state: "running",
    fraction: 1,
    epoch: 2,
    epochs: 2,
    losses: [8, 4],
    stopLosses: [7, 3],
  });
});

test("a training that starts anew starts from nothing", () => {
  const { families } = after(
    ["LSTM"],
    [start, { event: "train_progress", model_type: "LSTM", fraction: 0.5, epoch: 1, loss: 8 }, start],
  );
  expect(families.get("LSTM")).toMatchObject({ state: "running", fraction: 0, losses: [], begunMs: 2000 });
});

test("lines of families that nobody asked for change nothing", () => {
  expect(after(["GRU"], [start])).toEqual(noProgress(["GRU"]));
});

test("work is settled when every family has a result for the round", () => {
  const gru = {
    ...done,
    event: "train_skip_duplicate",
    model_type: "GRU",
    work_key: "w2",
    status: "SUCCESS",
  };
  expect(settledWork(after(["LSTM", "GRU"], [start, done]), "r1")).toBeNull();
  expect(settledWork(after(["LSTM", "GRU"], [start, done, gru]), "r1")).toEqual(
    new Map([
      ["LSTM", "w1"],
      ["GRU", "w2"],
    ]),
  );
});

test("a result of an older round does not settle this one", () => {
  expect(settledWork(after(["LSTM"], [start, done]), "r2")).toBeNull();
});

test("a training that was given up is settled, without a work key where it never began", () => {
  const givenUp = { event: "message_dead_lettered", model_type: "LSTM", error: "no column 'down'" };
  const progress = after(["LSTM"], [givenUp]);
  expect(settledWork(progress, "r1")).toEqual(new Map([["LSTM", null]]));
  expect(progress.families.get("LSTM")).toMatchObject({ state: "failed", reason: "no column 'down'" });
});

test("the verdict and what is served come last", () => {
  const progress = after(
    [],
    [
      { event: "promotion_all_models_present" },
      { event: "promotion_decision", verdict: "cold_start", reason: "no champion" },
      { event: "promotion_model_loaded", run_id: "a1", model_type: "LSTM", epoch: 1 },
    ],
  );
  expect(progress.evaluation).toEqual({
    state: "done",
    begunMs: 0,
    endedMs: 1000,
    verdict: "cold_start",
    reason: "no champion",
  });
  expect(progress.serving).toEqual({ runId: "a1", family: "LSTM", epoch: 1 });
});
