import type { Candidate } from "@flts/common/contracts/candidate";
import type { Promotion } from "@flts/common/contracts/promotion";
import { expect, test } from "vitest";
import { createWorld } from "../trained-world.ts";

/** The promotion of a candidate, as far as scoring looks at it. */
const promotionOf = ({ run_id, model_type, manifest_sha256 }: Candidate): Promotion =>
  ({ run_id, model_type, manifest_sha256, epoch: 1 }) as Promotion;

const failedCandidate = (candidate: Candidate): Candidate => ({
  ...candidate,
  status: "FAILED",
  run_id: null,
  manifest_sha256: null,
  code: "TRAINING_DIVERGED",
  reason: "the loss is NaN",
});

test("the first model of a station is a cold start, scored beside the baselines on rows nobody was trained on", async () => {
  const { train, judge } = await createWorld();
  const candidate = await train();
  const judged = await judge([candidate]);
  expect(judged).toMatchObject({
    verdict: "cold_start",
    winner: candidate.run_id,
    rows: 200,
    champion: null,
  });
  const [row] = judged.scoreboard;
  expect(row?.rmse).toBeLessThan(judged.baselines?.persistence.rmse ?? 0);
  expect(row?.skill).toBeCloseTo(1 - (row?.rmse ?? 0) / (judged.baselines?.persistence.rmse ?? 1), 12);
  expect(row?.score).toBeCloseTo(0.5 * row!.rmse + 0.3 * row!.mae + 0.2 * row!.mse, 12);
});

test("judging the same round again says the same, to the last digit", async () => {
  const { train, judge } = await createWorld();
  const candidates = [await train(), await train({ window: 5 })];
  expect(await judge(candidates)).toEqual(await judge(candidates.toReversed()));
});

test("a champion is not replaced by itself", async () => {
  const { train, judge } = await createWorld();
  const candidate = await train();
  expect(await judge([candidate], promotionOf(candidate))).toMatchObject({ verdict: "held" });
});

test("models of different windows are scored on the same rows", async () => {
  const { train, judge } = await createWorld();
  const short = await train({ window: 3 });
  const long = await train({ window: 40 });
  expect((await judge([short, long])).rows).toBe((await judge([long, short])).rows);
});

test("in a short table, too, the rows are score rows to every model", async () => {
  const { train, judge } = await createWorld();
  const candidates = [await train({ to: 60, window: 1 }), await train({ to: 60, window: 10 })];
  const judged = await judge(candidates);
  expect(judged.scoreboard).toHaveLength(2);
  expect(judged.rows).toBeGreaterThan(0);
});

test("a champion is compared only on rows that it has not seen", async () => {
  const { train, judge } = await createWorld();
  const candidate = await train();
  const later = await train({ from: 600, to: 2_300 });
  const judged = await judge([candidate], promotionOf(later));
  expect(judged.rows).toBeLessThan(200);
  expect(judged.champion).toMatchObject({ run_id: later.run_id, epoch: 1 });
});

test("a champion that has seen all rows keeps its advantage, and the round its verdict", async () => {
  const { train, judge } = await createWorld();
  const candidate = await train({ to: 1_500 });
  const judged = await judge([candidate], promotionOf(await train({ to: 2_400 })));
  expect(["held", "rejected", "promoted"]).toContain(judged.verdict);
});

test("a champion that is gone leaves only the baselines to beat, and an alarm", async () => {
  const { train, judge, lines } = await createWorld();
  const candidate = await train();
  const gone = { ...promotionOf(candidate), run_id: "0".repeat(32) };
  expect(await judge([candidate], gone)).toMatchObject({ verdict: "cold_start", champion: null });
  expect(lines.map(({ event }) => event)).toContain("promotion_champion_unavailable");
});

test("a candidate whose files were changed counts as failed", async () => {
  const { train, judge, tracker } = await createWorld();
  const [good, bad] = [await train(), await train({ window: 5 })];
  await tracker.putArtifact(bad.run_id ?? "", "LINEAR/model.onnx", new Uint8Array([1, 2, 3]));
  const judged = await judge([good, bad]);
  expect(judged).toMatchObject({
    winner: good.run_id,
    failed: [{ model_type: "LINEAR", code: "ARTIFACT_INVALID" }],
  });
});

test("a candidate that does not forecast what the others do counts as failed, and the round goes on without it", async () => {
  const { train, judge } = await createWorld();
  const [both, one] = [await train({ targets: ["down", "up"] }), await train()];
  const judged = await judge([both, one]);
  expect(judged).toMatchObject({
    winner: both.run_id,
    failed: [{ work_key: one.work_key, code: "COLUMN_MISSING" }],
  });
});

test("a champion that does not forecast a target of the round is not compared, and stops no decision", async () => {
  const { train, judge, lines } = await createWorld();
  const candidate = await train({ targets: ["down", "up"] });
  const judged = await judge([candidate], promotionOf(await train()));
  expect(judged).toMatchObject({ winner: candidate.run_id, champion: null });
  expect(lines.map(({ event }) => event)).toContain("promotion_champion_unavailable");
});

test("a round of failures is rejected with their reasons", async () => {
  const { train, judge } = await createWorld();
  const judged = await judge([failedCandidate(await train())]);
  expect(judged).toMatchObject({ verdict: "rejected", winner: null, scoreboard: [], baselines: null });
  expect(judged.reason).toContain("TRAINING_DIVERGED");
});

test("with the gate off even a lesser model is promoted, and the reason says so", async () => {
  const { train, judge } = await createWorld();
  const candidate = await train();
  const judged = await judge([candidate], promotionOf(candidate), "off");
  expect(judged.verdict).toBe("promoted");
  expect(judged.reason).toMatch(/GATE IS OFF/);
});
