import { inferenceData, trainingData } from "@flts/common/contracts/events";
import { keys } from "@flts/common/contracts/layout";
import { reconcile } from "@flts/common/housekeeping/reconcile";
import { toMessage } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { sliceRows } from "@flts/forecasting/table/table";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryLog } from "@flts/testing/memory-log";
import { expect, test } from "vitest";
import { claimLedgers } from "../src/reconcile-claims.ts";
import { createWorkbench } from "./workbench.ts";

async function setUp() {
  const bench = await createWorkbench();
  const clock = createManualClock();
  const log = createMemoryLog({ clock });
  await log.ensureTopics(pipelineTopics(1));
  await bench.store.ensureBucket("model-promotion");
  const station = synthesizeStation({ seed: 1, rows: 300, startMs: Date.UTC(2024, 0, 8) });
  for (const name of ["a", "b"]) {
    await bench.upload(`${name}.csv`, toCsv(sliceRows(station, 0, 200)));
    await bench.upload(`${name}_test.csv`, toCsv(sliceRows(station, 200)));
  }
  await bench.run({ DATASET_NAME: "a,b" });
  const ledgers = claimLedgers({
    store: bench.store,
    log,
    outputBucket: "processed-data",
    outputTrain: "processed_data",
    outputTest: "test_processed_data",
    promotionBucket: "model-promotion",
  });
  const look = () => reconcile(ledgers, { log, clock, settleMs: 0, signal: new AbortController().signal });
  return { bench, log, look };
}

test("the claims of tables that nobody was told of are sent as the job would have sent them", async () => {
  const { bench, log, look } = await setUp();
  await log.publish(bench.published.slice(0, 2).map(toMessage)); // Station a was told, then the job died.
  const [, lost] = bench.claims(trainingData);
  expect(await look()).toEqual([lost?.round]);
  for (const { name } of [trainingData, inferenceData]) {
    const seen: unknown[] = [];
    for await (const { value } of log.browse(name)) seen.push(JSON.parse(Buffer.from(value).toString()));
    const sent = bench.published.filter(({ topic }) => topic === name).map(({ value }) => value);
    expect(seen).toEqual(sent);
  }
  expect(await look()).toEqual([]);
});

test("tables that were trained on, or are gone, claim nothing", async () => {
  const { bench, look } = await setUp();
  const [a, b] = bench.claims(trainingData);
  const key = keys.candidate(a?.round ?? "", "LINEAR", "w");
  await bench.store.put({ bucket: "model-promotion", key }, Buffer.from("{}"));
  await bench.store.remove({ bucket: "processed-data", key: b?.object ?? "" });
  expect(await look()).toEqual([]);
});
