import { expect, test } from "vitest";
import { candidate } from "../../src/contracts/candidate.ts";
import { decision } from "../../src/contracts/decision.ts";
import { promotion, scoreWeights } from "../../src/contracts/promotion.ts";
import { candidateDocument, decisionDocument, promotionOfEpoch } from "./documents.ts";

const throughJson = (document: unknown): unknown => JSON.parse(JSON.stringify(document));

test.each([
  ["promotion", promotion, promotionOfEpoch(1)],
  ["successor", promotion, promotionOfEpoch(2)],
  ["candidate", candidate, candidateDocument],
  [
    "failed candidate",
    candidate,
    { ...candidateDocument, status: "FAILED", run_id: null, manifest_sha256: null, code: "C", reason: "r" },
  ],
  ["decision", decision, decisionDocument],
  [
    "decision against a champion",
    decision,
    { ...decisionDocument, base_epoch: 3, champion: { run_id: "1", model_type: "GRU", rmse: 0.4 } },
  ],
])("a %s survives being stored", (_name, schema, document) => {
  expect(schema.parse(throughJson(document))).toEqual(document);
});

test("what later releases add to a document is kept", () => {
  expect(promotion.parse({ ...promotionOfEpoch(1), shadow_of: 7 })).toHaveProperty("shadow_of", 7);
  expect(candidate.parse({ ...candidateDocument, node: "n" })).toHaveProperty("node", "n");
  expect(decision.parse({ ...decisionDocument, actor: "a" })).toHaveProperty("actor", "a");
});

test("the first twelve fields of a promotion are the reference's", () => {
  expect(Object.keys(promotion.shape).slice(0, 12)).toEqual(
    "identifier config_hash run_id model_type experiment model_uri rmse mae mse score timestamp weights".split(
      " ",
    ),
  );
  expect(scoreWeights).toEqual({ rmse: 0.5, mae: 0.3, mse: 0.2 });
});

test.each([0, -1, 1.5])("there is no epoch %d", (epoch) => {
  expect(promotion.safeParse({ ...promotionOfEpoch(1), epoch }).success).toBe(false);
});

test("an error that is no number cannot be written into a promotion or a scoreboard", () => {
  expect(promotion.safeParse({ ...promotionOfEpoch(1), rmse: Number.NaN }).success).toBe(false);
  const [row] = decisionDocument.scoreboard;
  expect(
    decision.safeParse({ ...decisionDocument, scoreboard: [{ ...row, score: Number.NaN }] }).success,
  ).toBe(false);
});
