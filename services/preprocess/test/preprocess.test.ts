import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openClaim } from "@flts/common/claim-check/claim-check";
import { inferenceData, trainingData } from "@flts/common/contracts/events";
import { type Emission, parseEvent, type Topic } from "@flts/common/contracts/topic";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { createLogger } from "@flts/common/service/logger";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { readParquet } from "@flts/forecasting/table/parquet";
import { rowCount, sliceRows } from "@flts/forecasting/table/table";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryStore } from "@flts/testing/memory-store";
import { beforeEach, expect, test } from "vitest";
import { type PreprocessJob, preprocess } from "../src/preprocess.ts";

const whole = synthesizeStation({ seed: 7, rows: 600, startMs: Date.UTC(2024, 2, 29) });
const trainCsv = toCsv(sliceRows(whole, 0, 480));
const testCsv = toCsv(sliceRows(whole, 480));

const job: PreprocessJob = {
  identifier: "",
  inputBucket: "dataset",
  outputBucket: "processed-data",
  outputTrain: "processed_data",
  outputTest: "test_processed_data",
  force: false,
  settings: defaultSettings("PobleSec.csv", "PobleSec_test.csv"),
  spill: { folder: "", maxBytes: 1e8 },
};

let store: ObjectStore;
let published: Emission[];
let events: string[];

beforeEach(async () => {
  store = createMemoryStore();
  published = [];
  events = [];
  for (const bucket of ["dataset", "processed-data"]) await store.ensureBucket(bucket);
  await upload("PobleSec.csv", trainCsv);
  await upload("PobleSec_test.csv", testCsv);
});

const upload = (key: string, content: string | Uint8Array) =>
  store.put({ bucket: "dataset", key }, Buffer.from(content));

const runJob = (changes: Partial<PreprocessJob> = {}, clockMs = 0) =>
  preprocess(
    { ...job, ...changes },
    {
      store,
      clock: createManualClock(clockMs),
      log: createLogger({
        service: "preprocess",
        level: "info",
        pretty: false,
        destination: { write: (line) => void events.push((JSON.parse(line) as { event: string }).event) },
      }),
      publish: async (emissions) => void published.push(...emissions),
    },
  );

const parsed = <Event>(topic: Topic<Event>, { value }: Emission): Event =>
  parseEvent(topic, Buffer.from(JSON.stringify(value)));

async function keysOf(bucket: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(bucket, "")) keys.push(key);
  return keys;
}

test("stores both tables under their digests and claims them with the reference's fields", async () => {
  const { round, configHash, cached } = await runJob();
  expect(cached).toBe(false);
  expect(configHash).toBe("6ce79cfae0029f0499e5ca7a14f996ee0fe8c7d4f2a4bbf2fe78d3ae6b155ea9");
  expect(published.map(({ topic, key }) => [topic, key])).toEqual([
    ["training-data", "train-claim"],
    ["inference-data", "inference-claim"],
  ]);
  const claim = parsed(trainingData, published[0]!);
  expect(claim).toMatchObject({
    bucket: "processed-data",
    v: 1,
    config_hash: configHash,
    identifier: "",
    round,
  });
  expect(claim.object).toBe(`${claim.sha256}/processed_data.parquet`);
  const bytes = await openClaim(store, claim, { allowedBuckets: ["processed-data"], maxBytes: 1e9 });
  expect(claim.size).toBe(bytes.byteLength);
  const { table, metadata } = await readParquet(bytes);
  expect(rowCount(table)).toBe(480);
  expect(table.columns).toHaveLength(17);
  expect(metadata).toMatchObject({ config_hash: configHash, round, identifier: "" });
  const testClaim = parsed(inferenceData, published[1]!);
  expect(testClaim).toMatchObject({ operation: "post: test data", object_key: testClaim.object, round });
});

test("a second run changes nothing and sends the same claims again", async () => {
  await runJob();
  const before = await keysOf("processed-data");
  const first = published.splice(0);
  expect(await runJob({}, 86_400_000)).toMatchObject({ cached: true });
  expect(events.at(-1)).toBe("skip_idempotent");
  expect(published).toEqual(first);
  expect(await keysOf("processed-data")).toEqual(before);
});

test("equal input gives equal bytes, whatever the clock says", async () => {
  await runJob({}, 0);
  const first = published.splice(0);
  await runJob({ force: true }, 1e12);
  expect(events).toContain("force_reprocess");
  expect(published).toEqual(first);
});

test("new data under an old name is another round", async () => {
  const first = await runJob();
  await upload("PobleSec_test.csv", toCsv(sliceRows(whole, 500)));
  const second = await runJob();
  expect(second.cached).toBe(false);
  expect(second.configHash).toBe(first.configHash);
  expect(second.round).not.toBe(first.round);
});

test("a head whose table is gone is not believed", async () => {
  await runJob();
  const { object } = parsed(trainingData, published[0]!);
  await store.remove({ bucket: "processed-data", key: object });
  expect(await runJob()).toMatchObject({ cached: false });
  expect(await store.head({ bucket: "processed-data", key: object })).not.toBeNull();
});

test("a station has keys, heads and a round of its own", async () => {
  const first = await runJob();
  const other = await runJob({ identifier: "ElBorn" });
  expect(other.round).not.toBe(first.round);
  expect(published.at(-1)?.key).toBe("inference-claim/ElBorn");
  expect(await keysOf("processed-data")).toContain("ElBorn/processed_data.meta.json");
  expect(await keysOf("processed-data")).toContain("processed_data.meta.json");
});

test("a missing file is named, with what to do", async () => {
  await store.remove({ bucket: "dataset", key: "PobleSec_test.csv" });
  await expect(runJob()).rejects.toMatchObject({ code: "INPUT_MISSING" });
  await expect(runJob()).rejects.toThrow(/bucket=dataset, key=PobleSec_test\.csv.*DATASET_NAME/);
});

test.each([
  ["an empty file", "", /PobleSec\.csv/],
  ["a header without time", trainCsv.replace("time,", "when,"), /No column labeled 'time'/],
  ["text in a number column", trainCsv.replace(/,\d+(\.\d+)?,/, ",many,"), /row|line/],
  [
    "an impossible date",
    trainCsv.replace("2024-02-29", "2024-02-30").replace("2024-03-29", "2024-02-30"),
    /2024-02-30/,
  ],
  ["binary", new Uint8Array([0x89, 0x50, 0, 1, 2, 3, 0xff, 0xfe, 0]), /PobleSec\.csv/],
])("%s ends the job, sends nothing and leaves no object", async (_name, content, message) => {
  await upload("PobleSec.csv", content);
  await expect(runJob()).rejects.toThrow(message);
  await expect(runJob()).rejects.toMatchObject({ kind: "poison" });
  expect(published).toEqual([]);
  expect(await keysOf("processed-data")).toEqual([]);
});

const dataset = process.env["FLTS_DATASET_DIR"];

test.skipIf(!dataset)(
  "PobleSec has the reference's rows, columns and hash (needs FLTS_DATASET_DIR)",
  async () => {
    for (const name of ["PobleSec.csv", "PobleSec_test.csv"])
      await upload(name, readFileSync(join(dataset ?? "", name)));
    const { configHash } = await runJob();
    expect(configHash).toBe("6ce79cfae0029f0499e5ca7a14f996ee0fe8c7d4f2a4bbf2fe78d3ae6b155ea9");
    expect(published.map(({ value }) => (value as { rows: number }).rows)).toEqual([15_927, 3_982]);
  },
);
