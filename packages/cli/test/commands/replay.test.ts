import { writeDocument } from "@flts/common/claim-check/documents";
import { trainingData } from "@flts/common/contracts/events";
import { sha256 } from "@flts/common/contracts/identity";
import { keys } from "@flts/common/contracts/layout";
import { parseEvent } from "@flts/common/contracts/topic";
import { tableHead } from "@flts/preprocess/head";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createOperator, type Operator } from "./operator.ts";

let operator: Operator;
beforeEach(async () => {
  operator = await createOperator();
});
afterEach(() => operator.leave());

const round = sha256("round");
const table = (name: string) => ({
  bucket: "processed-data",
  object: keys.processedTable("north", sha256(name), name),
  size: 1,
  sha256: sha256(name),
});

/** A trainer's run of the round, its candidate, and the table that it was trained on. */
async function trained(): Promise<string> {
  const { store, tracker } = operator.backends;
  const { runId } = await tracker.startRun({
    experiment: "Default",
    name: "LSTM",
    tags: { round, work_key: "w", model_type: "LSTM", identifier: "north", config_hash: "c" },
  });
  const { bucket, object } = table("processed_data");
  await store.put({ bucket, key: object }, Buffer.from("x"));
  await writeDocument(
    store,
    { bucket: "model-promotion", key: keys.candidate(round, "LSTM", "w") },
    {
      status: "SUCCESS",
      model_type: "LSTM",
      experiment: "Default",
      identifier: "north",
      config_hash: "c",
      round,
      work_key: "w",
      run_id: runId,
      manifest_sha256: null,
      table: table("processed_data"),
      started_at: 0,
      seconds: 1,
    },
  );
  return runId;
}

/** Makes the round the station's present one. */
async function present(): Promise<void> {
  const { store } = operator.backends;
  for (const name of ["processed_data", "test_processed_data"]) {
    const { bucket, object, size, sha256: digest } = table(name);
    await store.put({ bucket, key: object }, Buffer.from("x"));
    const head = tableHead.parse({
      identifier: "north",
      source_bucket: "dataset",
      train_source_object: "a.csv",
      test_source_object: "a_test.csv",
      config: "{}",
      config_hash: "c",
      created_at: "2026-01-01T00:00:00.000Z",
      scaler_type: "none",
      output_object: object,
      row_count: 5,
      column_names: ["down"],
      round,
      output_bucket: bucket,
      size,
      sha256: digest,
      train_source_sha256: "",
      test_source_sha256: "",
      scaling: { kind: "none", columns: [] },
    });
    await writeDocument(store, { bucket, key: keys.processedHead("north", name) }, head);
  }
}

async function topicOf(name: string): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const { value } of operator.backends.log.browse(name))
    values.push(JSON.parse(Buffer.from(value).toString()));
  return values;
}

test("the claim of a run comes from its candidate when the station has gone on to other tables", async () => {
  const runId = await trained();
  expect((await operator.flts("replay", "--run", runId)).result).toMatchObject({ topics: ["training-data"] });
  const [claim] = await topicOf("training-data");
  expect(parseEvent(trainingData, Buffer.from(JSON.stringify(claim)))).toMatchObject({
    ...table("processed_data"),
    round,
    identifier: "north",
    config_hash: "c",
  });
});

test("both claims of a run come again while its tables are the station's present ones", async () => {
  const runId = await trained();
  await present();
  const { result } = await operator.flts("replay", "--run", runId);
  expect(result).toMatchObject({ topics: ["training-data", "inference-data"] });
  expect(await topicOf("inference-data")).toMatchObject([{ round, ...table("test_processed_data") }]);
});

test("a group goes on where it is told to when its next member joins", async () => {
  const { log } = operator.backends;
  const publish = (id: string) => log.publish([{ topic: "training-data", key: id, value: Buffer.from(id) }]);
  for (const id of ["a", "b", "c"]) await publish(id);
  const place = ["--topic", "training-data", "--group", "train-lstm", "--to", "1"];
  const replayed = await operator.flts("replay", ...place);
  expect(replayed.result).toMatchObject({ kind: "moved", group: "train-lstm" });
  expect(replayed.said).toContain("goes on at offset 1 of training-data");
  expect(await log.lag("train-lstm", ["training-data"])).toMatchObject([{ committed: 1n, end: 3n }]);
});

test("a group at work is not moved; with --force its messages are published once more", async () => {
  const { log } = operator.backends;
  await log.publish([{ topic: "training-data", key: null, value: Buffer.from('"a"') }]);
  const consumer = await log.consume({
    group: "train-lstm",
    topics: ["training-data"],
    from: "earliest",
    onDelivery: (delivery) => delivery.commit(),
    onCrash: () => undefined,
  });
  const place = ["--topic", "training-data", "--group", "train-lstm", "--to", "earliest"];
  const refused = await operator.flts("replay", ...place);
  expect(refused).toMatchObject({ code: 1, line: expect.stringContaining("1 member(s) at work") });
  const forced = await operator.flts("replay", ...place, "--force");
  expect(forced.result).toMatchObject({ kind: "published", messages: 1 });
  expect(await topicOf("training-data")).toEqual(["a", "a"]);
  await consumer.stop();
});

test("a run that is none, or whose table is gone, is named", async () => {
  expect(await operator.flts("replay", "--run", "0".repeat(32))).toMatchObject({
    code: 1,
    line: expect.stringContaining("there is no run"),
  });
  const runId = await trained();
  const { bucket, object } = table("processed_data");
  await operator.backends.store.remove({ bucket, key: object });
  expect(await operator.flts("replay", "--run", runId)).toMatchObject({
    code: 1,
    line: expect.stringContaining("run preprocess again"),
  });
  const { runId: foreign } = await operator.backends.tracker.startRun({
    experiment: "Default",
    name: "x",
    tags: {},
  });
  expect((await operator.flts("replay", "--run", foreign)).line).toContain("no trainer of FLTS made it");
});

test.each([
  [["replay"], "give --topic, --group and --to, or --run alone"],
  [["replay", "--run", "x", "--topic", "t"], "give --topic, --group and --to, or --run alone"],
  [["replay", "--to", "noon"], "It must be earliest, latest, an offset, or a time such as"],
] as const)("%j is a fault of usage", async (args, part) => {
  const ended = await operator.flts(...args);
  expect(ended.code).toBe(2);
  expect(ended.line).toContain(part);
});
