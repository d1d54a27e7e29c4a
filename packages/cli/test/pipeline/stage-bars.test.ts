import { noProgress, type Progress } from "@flts/cli/pipeline/progress";
import { stageBars } from "@flts/cli/pipeline/stage-bars";
import { createStyle } from "@flts/cli/terminal/style";
import { expect, test } from "vitest";

const plain = createStyle(false);
const bar = (filled: number) => "█".repeat(filled) + "░".repeat(24 - filled);

test("before anything has happened every stage waits", () => {
  expect(stageBars(noProgress(["LSTM"]), 0, plain).map((line) => line.trimEnd())).toEqual([
    `· preprocess     ${bar(0)}`,
    `· train LSTM     ${bar(0)}`,
    `· eval           ${bar(0)}`,
    `· inference      ${bar(0)}`,
  ]);
});

test("a training shows its epoch, its loss, the curve so far and its time", () => {
  const progress: Progress = {
    ...noProgress([]),
    preprocess: {
      state: "done",
      begunMs: 0,
      endedMs: 900,
      rows: { train: 15_927, test: 3_982 },
      columnNames: ["down", "up"],
    },
    families: new Map([
      [
        "LSTM",
        {
          state: "running",
          begunMs: 1000,
          fraction: 0.5,
          epoch: 2,
          epochs: 4,
          losses: [9, 4],
          stopLosses: [8, 2],
        },
      ],
      ["GRU", { state: "failed", fraction: 0, losses: [], stopLosses: [], reason: "loss is NaN" }],
      ["LINEAR", { state: "cached", fraction: 1, losses: [], stopLosses: [] }],
    ]),
  };
  expect(stageBars(progress, 4000, plain).slice(0, 4)).toEqual([
    `✓ preprocess     ${bar(24)}  15927 + 3982 rows, 2 columns in 0.9 s`,
    `▸ train LSTM     ${bar(12)}  epoch 2/4  loss 2  █▁  3.0 s`,
    `✗ train GRU      ${bar(0)}  loss is NaN`,
    `= train LINEAR   ${bar(24)}  trained before`,
  ]);
});

test("the end shows the verdict and what is served", () => {
  const progress: Progress = {
    ...noProgress([]),
    evaluation: { state: "done", verdict: "promoted" },
    serving: { runId: "a1", family: "LSTM", epoch: 2 },
  };
  expect(stageBars(progress, 0, plain).slice(1)).toEqual([
    `✓ eval           ${bar(24)}  promoted`,
    `✓ inference      ${bar(24)}  serves LSTM, epoch 2`,
  ]);
});
