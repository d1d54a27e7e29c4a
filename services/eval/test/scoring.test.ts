import { storeClaimed } from "@flts/common/claim-check/claim-check";
import type { Candidate } from "@flts/common/contracts/candidate";
import { sha256 } from "@flts/common/contracts/identity";
import { keys } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import { createLogger } from "@flts/common/service/logger";
import { encodeManifest, storeArtifact } from "@flts/families/artifact";
import { fitFamily } from "@flts/families/fit";
import { familyOf } from "@flts/families/registry";
import type { GateMode } from "@flts/forecasting/evaluation/gate";
import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { sliceRows } from "@flts/forecasting/table/table";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { expect, test } from "vitest";
import { judgeRound } from "../src/scoring.ts";

/** Real models on a made-up station, in a store and a tracker in memory. */
async function createWorld() {
  const store = createMemoryStore();
  await store.ensureBucket("processed-data");
  const tracker = createMemoryTracker();
  const events: string[] = [];
  const log = createLogger({
    service: "eval",
    level: "info",
    pretty: false,
    destination: { write: (line) => void events.push((JSON.parse(line) as { event: string }).event) },
  });

  /** Trains LINEAR on rows of the station, and leaves what a trainer leaves. */
  async function train(from: number, to: number, window = 10): Promise<Candidate> {
    const rows = sliceRows(
      synthesizeStation({ seed: 21, rows: 2_400, startMs: Date.UTC(2024, 0, 8) }),
      from,
      to,
    );
    const { train: table, scaling } = preprocessPair(
      rows,
      sliceRows(rows, 0, 100),
      defaultSettings("a.csv", "b.csv"),
    );
    const parquet = writeParquet(table, { scaling: JSON.stringify(scaling) });
    const claim = await storeClaimed(
      store,
      "processed-data",
      (digest) => keys.processedTable("", digest, "processed_data"),
      parquet,
    );
    const workKey = sha256(`${from} ${to} ${window}`);
    const { artifact } = await fitFamily(familyOf("LINEAR"), {
      parquet,
      targets: ["down"],
      settings: { INPUT_SEQ_LEN: window },
      seed: workKey,
      provenance: {
        round: "r",
        work_key: workKey,
        config_hash: "c",
        identifier: "",
        table: claim,
        code_version: "0",
      },
      signal: new AbortController().signal,
      onProgress: () => {},
    });
    const { runId } = await tracker.startRun({ experiment: "Default", name: "LINEAR", tags: {} });
    await storeArtifact(tracker, runId, artifact);
    return {
      v: 1,
      status: "SUCCESS",
      model_type: "LINEAR",
      experiment: "Default",
      identifier: "",
      config_hash: "c",
      round: "r",
      work_key: workKey,
      run_id: runId,
      manifest_sha256: sha256(encodeManifest(artifact.manifest)),
      table: claim,
      started_at: 0,
      seconds: 1,
    };
  }

  const judge = (
    candidates: readonly Candidate[],
    champion: Promotion | null = null,
    gate: GateMode = "strict",
  ) =>
    judgeRound(candidates, champion, {
      store,
      tracker,
      log,
      gate,
      processedBucket: "processed-data",
      claimMaxBytes: 1e9,
    });
  return { tracker, events, train, judge };
}

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
  const candidate = await train(0, 2_000);
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
  const candidates = [await train(0, 2_000), await train(0, 2_000, 5)];
  expect(await judge(candidates)).toEqual(await judge(candidates.toReversed()));
});

test("a champion is not replaced by itself", async () => {
  const { train, judge } = await createWorld();
  const candidate = await train(0, 2_000);
  expect(await judge([candidate], promotionOf(candidate))).toMatchObject({ verdict: "held" });
});

test("models of different windows are scored on the same rows", async () => {
  const { train, judge } = await createWorld();
  const short = await train(0, 2_000, 3);
  const long = await train(0, 2_000, 40);
  expect((await judge([short, long])).rows).toBe((await judge([long, short])).rows);
});

test("in a short table, too, the rows are score rows to every model", async () => {
  const { train, judge } = await createWorld();
  const candidates = [await train(0, 60, 1), await train(0, 60, 10)];
  const judged = await judge(candidates);
  expect(judged.scoreboard).toHaveLength(2);
  expect(judged.rows).toBeGreaterThan(0);
});

test("a champion is compared only on rows that it has not seen", async () => {
  const { train, judge } = await createWorld();
  const candidate = await train(0, 2_000);
  const later = await train(600, 2_300);
  const judged = await judge([candidate], promotionOf(later));
  expect(judged.rows).toBeLessThan(200);
  expect(judged.champion).toMatchObject({ run_id: later.run_id, epoch: 1 });
});

test("a champion that has seen all rows keeps its advantage, and the round its verdict", async () => {
  const { train, judge } = await createWorld();
  const candidate = await train(0, 1_500);
  const judged = await judge([candidate], promotionOf(await train(0, 2_400)));
  expect(["held", "rejected", "promoted"]).toContain(judged.verdict);
});

test("a champion that is gone leaves only the baselines to beat, and an alarm", async () => {
  const { train, judge, events } = await createWorld();
  const candidate = await train(0, 2_000);
  const gone = { ...promotionOf(candidate), run_id: "0".repeat(32) };
  expect(await judge([candidate], gone)).toMatchObject({ verdict: "cold_start", champion: null });
  expect(events).toContain("promotion_champion_unavailable");
});

test("a candidate whose files were changed counts as failed", async () => {
  const { train, judge, tracker } = await createWorld();
  const [good, bad] = [await train(0, 2_000), await train(0, 2_000, 5)];
  await tracker.putArtifact(bad.run_id ?? "", "LINEAR/model.onnx", new Uint8Array([1, 2, 3]));
  const judged = await judge([good, bad]);
  expect(judged).toMatchObject({
    winner: good.run_id,
    failed: [{ model_type: "LINEAR", code: "ARTIFACT_INVALID" }],
  });
});

test("a round of failures is rejected with their reasons", async () => {
  const { train, judge } = await createWorld();
  const judged = await judge([failedCandidate(await train(0, 2_000))]);
  expect(judged).toMatchObject({ verdict: "rejected", winner: null, scoreboard: [], baselines: null });
  expect(judged.reason).toContain("TRAINING_DIVERGED");
});

test("with the gate off even a lesser model is promoted, and the reason says so", async () => {
  const { train, judge } = await createWorld();
  const candidate = await train(0, 2_000);
  const judged = await judge([candidate], promotionOf(candidate), "off");
  expect(judged.verdict).toBe("promoted");
  expect(judged.reason).toMatch(/GATE IS OFF/);
});
