import { type RoundFacts, summaryJson } from "@flts/cli/summary";
import { summaryText } from "@flts/cli/summary-text";
import { createStyle, widthOf } from "@flts/cli/terminal/style";
import { expect, test } from "vitest";
import { buildDecision, buildPromotion, buildRow } from "./pipeline/decisions.ts";

const decision = buildDecision({
  scoreboard: [buildRow("LINEAR"), buildRow("GRU", { rmse: 0.06, skill: -0.2 })],
  failed: [{ model_type: "LSTM", code: "TRAINING_DIVERGED", reason: "loss is NaN" }],
});
const facts: RoundFacts = {
  dataset: "PobleSec",
  rows: { train: 15_927, test: 3_982 },
  columnNames: ["down", "up"],
  configHash: "6ce79cfae002",
  round: "0123456789ab",
  outcome: { decision, promotion: buildPromotion(decision) },
  target: "down",
  forecast: Array.from({ length: 7 }, (_, step) => ({
    ts: `2018-03-05T15:${18 + 2 * step}:00`,
    value: 1e8 + step * 1e6,
    lower: 9e7,
    upper: 1.2e8,
  })),
  seconds: { preprocess: 0.81234, train: 2, eval: 0.3, total: 5 },
};

test("the JSON object has every member that was promised", () => {
  expect(summaryJson(facts)).toEqual({
    dataset: "PobleSec",
    rows: { train: 15_927, test: 3_982 },
    columns: 2,
    columnNames: ["down", "up"],
    configHash: "6ce79cfae002",
    round: "0123456789ab",
    families: [
      {
        family: "LINEAR",
        runId: "run-LINEAR",
        seconds: 2,
        rmse: 0.04,
        mae: 0.02,
        mse: 0.0016,
        r2: 0.5,
        score: 0.026,
        skill: 0.1,
      },
      expect.objectContaining({ family: "GRU", rmse: 0.06, skill: -0.2 }),
    ],
    failed: [{ family: "LSTM", code: "TRAINING_DIVERGED", reason: "loss is NaN" }],
    baselines: {
      persistence: { rmse: 0.05, mae: 0.03, r2: 0.2 },
      ewma: { rmse: 0.06, mae: 0.04, r2: null },
    },
    verdict: "cold_start",
    promoted: { family: "LINEAR", runId: "run-LINEAR", epoch: 1, verdict: "cold_start" },
    forecast: facts.forecast.map(({ ts, value, lower, upper }) => ({
      ts,
      down: value,
      down_lower: lower,
      down_upper: upper,
    })),
    seconds: { preprocess: 0.812, train: 2, eval: 0.3, total: 5 },
  });
});

test("nothing promoted is null", () => {
  expect(summaryJson({ ...facts, outcome: { decision, promotion: null } }).promoted).toBeNull();
});

const surroundings = {
  width: 100,
  style: createStyle(false),
  measured: { values: [1e8, 1.1e8, 1.05e8], firstTime: "2018-03-05 15:12:00" },
};

test("people see the models beside persistence and EWMA, best first", () => {
  const lines = summaryText(facts, surroundings);
  const models = lines
    .map((line) => line.split(/\s/)[0])
    .filter((word) => /^(LINEAR|GRU|persistence|EWMA)$/.test(word ?? ""));
  expect(models).toEqual(["LINEAR", "GRU", "persistence", "EWMA"]);
  expect(lines.find((line) => line.startsWith("LINEAR"))).toContain("+10.0 %");
  expect(lines).toContain("LSTM was not trained (TRAINING_DIVERGED): loss is NaN");
});

test("people see what was promoted and why, the plot and its first rows", () => {
  const text = summaryText(facts, surroundings).join("\n");
  expect(text).toContain("✓ Promoted: LINEAR, epoch 1, run run-LINEAR (cold_start)\n  no champion yet");
  expect(text).toContain("░");
  expect(text).toContain("2018-03-05 15:18");
  expect(text).toContain("… 2 more");
});

test("the summary fits its width", () => {
  for (const line of summaryText(facts, surroundings)) expect(widthOf(line)).toBeLessThanOrEqual(100);
});

test("nothing promoted is said with its reason, and without a champion there is no plot", () => {
  const held = buildDecision({ verdict: "rejected", reason: "worse than persistence" });
  const lines = summaryText(
    { ...facts, outcome: { decision: held, promotion: null }, forecast: [] },
    surroundings,
  );
  expect(lines.join("\n")).toContain("Nothing promoted (rejected)\n  worse than persistence");
  expect(lines.join("")).not.toContain("░");
});

test("a round in which every training failed has no models and no baselines, and says why", () => {
  const nothing = buildDecision({
    scoreboard: [],
    baselines: null,
    winner: null,
    verdict: "rejected",
    reason: "no model to promote",
    failed: decision.failed,
  });
  const outcome = { decision: nothing, promotion: null };
  const lines = summaryText({ ...facts, outcome, forecast: [] }, surroundings);
  expect(lines).toContain("LSTM was not trained (TRAINING_DIVERGED): loss is NaN");
  expect(lines.join("\n")).toContain("Nothing promoted (rejected)\n  no model to promote");
  expect(summaryJson({ ...facts, outcome }).baselines).toBeNull();
});
