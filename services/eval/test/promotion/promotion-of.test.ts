import { expect, test } from "vitest";
import { decisionOf, promotionBy } from "../builders.ts";

test("a promotion is the decision's winner, one epoch on", () => {
  const decided = { ...decisionOf({ round: "a", identifier: "ElBorn" }, 3, 2), verdict: "promoted" as const };
  expect(promotionBy(decided)).toMatchObject({
    identifier: "ElBorn",
    run_id: "run-a-LINEAR",
    model_type: "LINEAR",
    model_uri: "runs:/run-a-LINEAR/LINEAR",
    weights: { rmse: 0.5, mae: 0.3, mse: 0.2 },
    epoch: 4,
    previous_epoch: 3,
    promotion_id: `${decided.decision_id}:2`,
    source: "gate",
    verdict: "promoted",
    timestamp: decided.timestamp,
    version: "1.0.0",
    reason: "made up",
    gate: { mode: "strict", rows: 1_500, skill: 0.1, versus_persistence: null, versus_champion: null },
  });
});

test("the winner need not be the best score: that one may have been rejected", () => {
  const best = decisionOf({ round: "best" }, 0);
  const decided = decisionOf({ round: "a" }, 0);
  const scoreboard = [...best.scoreboard, ...decided.scoreboard];
  expect(promotionBy({ ...decided, scoreboard }).run_id).toBe("run-a-LINEAR");
});

test("a decision that promotes what it did not score is refused", () => {
  expect(() => promotionBy({ ...decisionOf({ round: "a" }, 0), scoreboard: [] })).toThrow(
    expect.objectContaining({ code: "POINTER_INVALID" }),
  );
});
