import { writeDocument } from "@flts/common/claim-check/documents";
import { buckets, keys } from "@flts/common/contracts/layout";
import { reconcile } from "@flts/common/housekeeping/reconcile";
import { toMessage } from "@flts/common/stage/runner";
import { expect, test } from "vitest";
import { candidateLedgers } from "../src/reconcile-candidates.ts";
import { trainStage } from "../src/train-stage.ts";
import { type Bench, context, createBench, expectOneResult } from "./bench.ts";

const look = (bench: Bench, family = "LINEAR") =>
  reconcile(candidateLedgers({ ...bench, promotionBucket: buckets.promotion, family }), {
    log: bench.log,
    clock: bench.clock,
    settleMs: 0,
    signal: new AbortController().signal,
  });

test("a candidate that nobody was told of is told of, once, by the trainer of its family", async () => {
  const bench = await createBench();
  const emissions = await trainStage.handle(bench.claim, bench.deps(), context);
  const { work_key } = await expectOneResult(bench);
  expect(await look(bench, "GRU")).toEqual([]);
  expect(await look(bench)).toEqual([work_key]);
  expect(await bench.events()).toEqual(emissions.map(({ value }) => value));
  expect(await look(bench)).toEqual([]);
});

test("a candidate whose event is on the topic, or that eval has decided about, is left alone", async () => {
  const bench = await createBench();
  const emissions = await trainStage.handle(bench.claim, bench.deps(), context);
  await bench.log.publish(emissions.map(toMessage));
  expect(await look(bench)).toEqual([]);

  const other = await createBench();
  await trainStage.handle(other.claim, other.deps(), context);
  const { round, run_id, work_key, table } = await expectOneResult(other);
  const row = { run_id, work_key, model_type: "LINEAR", manifest_sha256: "m", experiment: "Default" };
  const errors = { rmse: 1, mae: 1, mse: 1, r2: null, score: 1, skill: 0, seconds: 1 };
  await writeDocument(
    other.store,
    { bucket: buckets.promotion, key: keys.decision(round, "d", 1) },
    {
      decision_id: "d",
      attempt: 1,
      identifier: "",
      config_hash: "c",
      round,
      timestamp: "2026-01-01T00:00:00.000Z",
      table,
      rows: 10,
      scoreboard: [{ ...row, ...errors }],
      baselines: null,
      failed: [],
      base_epoch: 0,
      champion: null,
      verdict: "held",
      winner: run_id,
      reason: "inconclusive",
      versus_persistence: null,
      versus_champion: null,
    },
  );
  expect(await look(other)).toEqual([]);
});

test("garbage on the topic tells of nothing", async () => {
  const bench = await createBench();
  await trainStage.handle(bench.claim, bench.deps(), context);
  await bench.log.publish([{ topic: "model-training", key: null, value: Buffer.from("no event") }]);
  expect(await look(bench)).toHaveLength(1);
});
