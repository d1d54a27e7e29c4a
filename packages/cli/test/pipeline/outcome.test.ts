import { findOutcome, readHead } from "@flts/cli/pipeline/outcome";
import { createMemoryStore } from "@flts/testing/memory-store";
import { expect, test } from "vitest";
import { buildDecision, buildPromotion, buildRow, storeDecision, storePromotion } from "./decisions.ts";

const linear = new Map([["LINEAR", "work-LINEAR"]]);

test("a round without a decision has no outcome", async () => {
  expect(await findOutcome(createMemoryStore(), "r1", linear)).toBeNull();
});

test("a decision that promotes is an outcome once its promotion is in the history", async () => {
  const store = createMemoryStore();
  const decision = buildDecision();
  await storeDecision(store, decision);
  expect(await findOutcome(store, "r1", linear)).toBeNull();
  const promotion = buildPromotion(decision);
  await storePromotion(store, promotion);
  expect(await findOutcome(store, "r1", linear)).toEqual({ decision, promotion });
  expect(await readHead(store, "")).toEqual(promotion);
});

test("a decision not to promote stands by itself", async () => {
  const store = createMemoryStore();
  const decision = buildDecision({ verdict: "rejected" });
  await storeDecision(store, decision);
  expect(await findOutcome(store, "r1", linear)).toEqual({ decision, promotion: null });
});

test("a decision that did not weigh every training is not the one waited for", async () => {
  const store = createMemoryStore();
  await storeDecision(store, buildDecision({ verdict: "held" }));
  const both = new Map([...linear, ["GRU", "work-GRU"] as const]);
  expect(await findOutcome(store, "r1", both)).toBeNull();
  const wider = buildDecision({
    decision_id: "d2",
    verdict: "held",
    scoreboard: [buildRow("GRU"), buildRow("LINEAR")],
  });
  await storeDecision(store, wider);
  expect(await findOutcome(store, "r1", both)).toEqual({ decision: wider, promotion: null });
});

test("a failed training is weighed by being listed as failed", async () => {
  const store = createMemoryStore();
  const failed = [{ model_type: "GRU", code: "TRAINING_DIVERGED", reason: "loss is NaN" }];
  await storeDecision(store, buildDecision({ verdict: "held", failed }));
  expect(await findOutcome(store, "r1", new Map([...linear, ["GRU", null] as const]))).not.toBeNull();
  expect(await findOutcome(store, "r1", new Map([["LSTM", null]]))).toBeNull();
});

test("a promotion that lost its epoch does not stand: the next attempt does", async () => {
  const store = createMemoryStore();
  const lost = buildDecision({ verdict: "promoted", base_epoch: 1 });
  await storeDecision(store, lost);
  await storePromotion(store, buildPromotion(lost, { promotion_id: "somebody else's" }));
  expect(await findOutcome(store, "r1", linear)).toBeNull();
  const again = buildDecision({ verdict: "held", base_epoch: 2, attempt: 2 });
  await storeDecision(store, again);
  expect(await findOutcome(store, "r1", linear)).toEqual({ decision: again, promotion: null });
});
