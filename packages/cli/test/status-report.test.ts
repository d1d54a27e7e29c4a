import { reportStatus } from "@flts/cli/status-report";
import { writeDocument } from "@flts/common/claim-check/documents";
import type { Candidate } from "@flts/common/contracts/candidate";
import { buckets, keys } from "@flts/common/contracts/layout";
import type { MessageLog } from "@flts/common/ports/message-log";
import { pipelineTopics } from "@flts/common/stage/topics";
import { createMemoryLog } from "@flts/testing/memory-log";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { expect, test } from "vitest";
import {
  buildCandidate,
  buildDecision,
  buildPromotion,
  storeDecision,
  storePromotion,
} from "./pipeline/decisions.ts";

const candidate = buildCandidate();

const message = (topic: string) => ({ topic, key: "k", value: Buffer.from("{}") });

async function setUp() {
  const store = createMemoryStore();
  const log = createMemoryLog();
  await store.ensureBucket(buckets.promotion);
  await log.ensureTopics(pipelineTopics(2));
  const ref = { bucket: buckets.promotion, key: keys.candidate("r1", "LINEAR", "work-LINEAR") };
  await writeDocument(store, ref, candidate);
  return { store, log, tracker: createMemoryTracker() };
}

test("nothing at all is nothing, and nothing is pending", async () => {
  const report = await reportStatus(
    { store: createMemoryStore(), log: createMemoryLog(), tracker: createMemoryTracker() },
    ["LINEAR"],
  );
  expect(report).toEqual({ stations: [], rounds: [], groups: [], deadLetters: [], pending: [] });
});

test("a round without a decision is pending, and shows its candidates", async () => {
  const { rounds, pending } = await reportStatus(await setUp(), []);
  expect(rounds).toEqual([
    {
      round: "r1",
      identifier: "default",
      configHash: "c1",
      candidates: [{ family: "LINEAR", status: "SUCCESS", runId: "run-LINEAR", seconds: 2, reason: null }],
      waiting: null,
      verdict: null,
      reason: null,
    },
  ]);
  expect(pending).toEqual(["round r1 of station default is not decided yet"]);
});

test("a round that waits says for whom and since when, by what its candidates are now", async () => {
  const backends = await setUp();
  const since = "2026-03-02T10:00:00.000Z";
  const waiting = { round: "r1", identifier: "", config_hash: "c1", waited_ms: 0, since };
  const ref = { bucket: buckets.promotion, key: keys.waiting("r1") };
  await writeDocument(backends.store, ref, { ...waiting, expected: ["GRU", "LINEAR", "LSTM"] });
  const failed: Candidate = { ...candidate, model_type: "LSTM", status: "FAILED", run_id: null };
  const key = keys.candidate("r1", "LSTM", "work-LSTM");
  await writeDocument(backends.store, { bucket: buckets.promotion, key }, failed);
  const { rounds, pending } = await reportStatus(backends, []);
  expect(rounds[0]?.waiting).toEqual({ since, missing: ["GRU"], failed: ["LSTM"] });
  expect(pending).toEqual([`round r1 of station default waits for GRU, LSTM (failed so far) since ${since}`]);
});

test("a promotion shows its station's champion, and the copy at the root is not another station", async () => {
  const backends = await setUp();
  const decision = buildDecision();
  await storeDecision(backends.store, decision);
  await storePromotion(backends.store, buildPromotion(decision));
  const root = { bucket: buckets.promotion, key: keys.rootHead };
  await writeDocument(backends.store, root, buildPromotion(decision));
  const { stations, rounds, pending } = await reportStatus(backends, []);
  expect(stations).toEqual([
    {
      identifier: "default",
      table: null,
      champion: {
        family: "LINEAR",
        runId: "run-LINEAR",
        epoch: 1,
        verdict: "cold_start",
        since: "2026-01-01T00:00:00.000Z",
        lack: expect.stringContaining("run-LINEAR"),
        standIn: null,
      },
    },
  ]);
  expect(rounds[0]).toMatchObject({ verdict: "cold_start", reason: "no champion yet" });
  expect(pending).toEqual([
    expect.stringMatching(/^the champion of station default is gone .*one that starts now has nothing/),
  ]);
});

test("a pointer that was laid by hand is shown as such, and keeps nothing else from being shown", async () => {
  const backends = await setUp();
  const ref = { bucket: buckets.promotion, key: keys.head("North") };
  await writeDocument(backends.store, ref, { run_id: "r", model_type: "LSTM" });
  const { rounds, pending } = await reportStatus(backends, []);
  expect(rounds).toHaveLength(1);
  expect(pending).toContainEqual(expect.stringContaining("North/current.json was laid by hand"));
});

test("a station whose table nobody has trained on yet is shown, and its round is pending", async () => {
  const backends = await setUp();
  const head = { identifier: "North", round: "r2", train_source_object: "North.csv", row_count: 9 };
  await backends.store.ensureBucket(buckets.processed);
  const ref = { bucket: buckets.processed, key: keys.processedHead("North", "processed_data") };
  await writeDocument(backends.store, ref, head);
  const { stations, pending } = await reportStatus(backends, []);
  expect(stations).toEqual([
    { identifier: "North", table: { round: "r2", source: "North.csv", rows: 9 }, champion: null },
  ]);
  expect(pending).toContain("round r2 of station North is not decided yet");
});

/** Lets a group handle the first message of its topic, and no more. */
async function handleOne(log: MessageLog, group: string, topic: string): Promise<void> {
  const handled = Promise.withResolvers<void>();
  const consumer = await log.consume({
    group,
    topics: [topic],
    from: "earliest",
    onDelivery: async (delivery) => {
      await delivery.commit();
      handled.resolve();
      await new Promise((resolve) => delivery.signal.addEventListener("abort", resolve));
    },
    onCrash: handled.reject,
  });
  await handled.promise;
  await consumer.stop();
}

test("messages before a group and dead letters are counted; a group that never did anything is none", async () => {
  const { log, ...backends } = await setUp();
  await log.publish([message("training-data"), message("training-data"), message("DLQ-model-training")]);
  await handleOne(log, "train-linear", "training-data");
  const { groups, deadLetters, pending } = await reportStatus({ log, ...backends }, ["LINEAR", "GRU"]);
  expect(groups).toEqual([{ group: "train-linear", topic: "training-data", lag: 1 }]);
  expect(deadLetters).toEqual([{ topic: "DLQ-model-training", count: 1 }]);
  expect(pending).toContain("train-linear has 1 message(s) of training-data before it");
});
