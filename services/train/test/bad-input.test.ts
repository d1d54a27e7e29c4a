import { storeClaimed } from "@flts/common/claim-check/claim-check";
import { trainingData } from "@flts/common/contracts/events";
import { sha256 } from "@flts/common/contracts/identity";
import { buckets } from "@flts/common/contracts/layout";
import { fitFamily } from "@flts/families/fit";
import { familyOf } from "@flts/families/registry";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { createTable } from "@flts/forecasting/table/table";
import { expect, test } from "vitest";
import type { TrainDeps } from "../src/train-once.ts";
import { type Bench, createBench, outcomesOf } from "./bench.ts";
import { parquet } from "./small-model.ts";

/** What a trainer makes of input that is not what it should be: a dead letter with code and reason at once, and the partition goes on. */

const fitHere: TrainDeps["train"] = (work, signal, onProgress) =>
  fitFamily(familyOf("LINEAR"), { ...work, signal, onProgress });

type Fault = (bench: Bench) => Promise<Uint8Array>;

const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

/** A claim on other bytes than a training table, with their own digest. */
const claimOn =
  (bytes: Uint8Array): Fault =>
  async ({ store, claim }) =>
    encode({
      ...claim,
      ...(await storeClaimed(store, buckets.processed, (digest) => `${digest}/x.parquet`, bytes)),
    });

const faults: readonly (readonly [string, Fault, string, RegExp])[] = [
  ["no JSON", async () => Buffer.from("{bucket"), "EVENT_INVALID", /not JSON/],
  ["no text", async () => Buffer.from([0xff, 0xfe, 0]), "EVENT_INVALID", /not JSON in UTF-8/],
  ["another schema", async () => encode({ hello: "world" }), "EVENT_INVALID", /bucket/],
  ["an older version", async ({ claim }) => encode({ ...claim, v: 0 }), "EVENT_TOO_OLD", /version 0/],
  ["an absurd version", async ({ claim }) => encode({ ...claim, v: 1e9 }), "EVENT_INVALID", /absurd version/],
  [
    "a version that is text",
    async ({ claim }) => encode({ ...claim, v: "1" }),
    "EVENT_INVALID",
    /absurd version/,
  ],
  [
    "an object that is truncated",
    async ({ store, claim }) => {
      const ref = { bucket: claim.bucket, key: "truncated/processed_data.parquet" };
      await store.put(ref, parquet.subarray(0, parquet.byteLength / 2));
      return encode({ ...claim, object: ref.key });
    },
    "CLAIM_CORRUPT",
    /integrity check failed/,
  ],
  [
    "another digest",
    async ({ claim }) => encode({ ...claim, sha256: sha256("x") }),
    "CLAIM_CORRUPT",
    /found/,
  ],
  [
    "a truncated table, claimed without a digest as the reference does",
    async ({ store, claim }) => {
      await store.put({ bucket: claim.bucket, key: "old.parquet" }, parquet.subarray(0, 5_000));
      return encode({ bucket: claim.bucket, object: "old.parquet", size: 5_000, config_hash: "c" });
    },
    "TABLE_INVALID",
    /parquet/i,
  ],
  ["what is no parquet", claimOn(Buffer.from("time,down\n")), "TABLE_INVALID", /parquet/i],
  [
    "a parquet with other columns",
    claimOn(
      writeParquet(
        createTable(
          Float64Array.from({ length: 400 }, (_, row) => Date.UTC(2024, 0, 8) + row * 120_000),
          ["temperature"],
          [new Float64Array(400).fill(1)],
        ),
        { scaling: JSON.stringify({ kind: "none", columns: [] }), preprocess_config: "{}" },
      ),
    ),
    "COLUMN_MISSING",
    /down/,
  ],
  [
    "a bucket outside the list",
    async ({ claim }) => encode({ ...claim, bucket: "secrets" }),
    "CLAIM_FORBIDDEN",
    /secrets/,
  ],
  ["ten megabytes", async () => Buffer.alloc(10_000_000, 0x5b), "MESSAGE_TOO_LARGE", /10000000 bytes/],
  ["a megabyte of brackets", async () => Buffer.alloc(1_000_000, 0x5b), "EVENT_INVALID", /not JSON/],
  [
    "ten megabytes of JSON",
    async ({ claim }) => encode({ ...claim, note: "x".repeat(10_000_000) }),
    "MESSAGE_TOO_LARGE",
    /put the bytes into the store/,
  ],
];

test.each(faults)(
  "%s is dead-lettered at once, and the next claim is trained",
  async (_name, fault, code, reason) => {
    const bench = await createBench({ maxMessageBytes: 32 * 1024 ** 2 });
    const value = await fault(bench);
    await bench.log.publish([{ topic: trainingData.name, key: "train-claim", value }]);
    await bench.publish({ ...bench.claim, round: sha256("the next round") });
    await bench.start({ train: fitHere });
    await expect.poll(() => bench.isDone(), { timeout: 20_000 }).toBe(true);
    expect(bench.clock.now()).toBe((await createBench()).clock.now()); // No time has passed: nothing was waited for.
    const letters = await bench.letters();
    expect(letters).toMatchObject([{ code, topic: trainingData.name, offset: "0", attempts: 1 }]);
    expect(letters[0]?.error).toMatch(reason);
    expect(Buffer.from(letters[0]?.value_base64 ?? "", "base64").equals(value)).toBe(true);
    expect((await bench.candidates()).filter(({ status }) => status === "SUCCESS")).toHaveLength(1);
  },
);

test("an object that never comes is waited for, then dead-lettered, and eval hears of it", async () => {
  const bench = await createBench();
  await bench.publish({ ...bench.claim, object: "never/processed_data.parquet" });
  await bench.start();
  await bench.clock.advance(55_000);
  expect([await bench.letters(), await bench.isDone()]).toEqual([[], false]);
  await bench.clock.advance(60_000);
  expect(await bench.letters()).toMatchObject([{ code: "CLAIM_MISSING" }]);
  expect(await bench.events()).toMatchObject([{ status: "FAILED", code: "CLAIM_MISSING" }]);
  expect(await bench.isDone()).toBe(true);
});

test("a newer version is held, not given up: somebody is upgrading", async () => {
  const bench = await createBench();
  await bench.publish({ ...bench.claim, v: 2 });
  await bench.start();
  await bench.clock.advance(86_400_000);
  expect([await bench.letters(), await bench.events(), await bench.isDone()]).toEqual([[], [], false]);
});

test("a claim whose object was mended is trained when its dead letter is redriven, once", async () => {
  const bench = await createBench();
  const ref = { bucket: bench.claim.bucket, key: bench.claim.object };
  await bench.store.remove(ref);
  await bench.publish(bench.claim);
  await bench.start();
  await bench.clock.advance(120_000);
  expect(await bench.candidates()).toMatchObject([{ status: "FAILED", code: "CLAIM_MISSING" }]);
  await bench.store.put(ref, parquet);
  await bench.publish(bench.claim); // Asked for again as it was, it has failed.
  const headers = { redriven_from: "DLQ-training-data/0/0" };
  for (let time = 0; time < 2; time++) await bench.publish(bench.claim, headers);
  await bench.clock.advance(1_000);
  const outcomes = await outcomesOf(bench);
  expect(outcomes.map(({ status }) => status)).toEqual(["FAILED", "FAILED", "SUCCESS", "SUCCESS"]);
  expect(outcomes[3]).toEqual(outcomes[2]);
  expect(await bench.candidates()).toHaveLength(2);
});

test("a redriven claim that fails again is given up again, and can be redriven again", async () => {
  const bench = await createBench();
  await bench.publish({ ...bench.claim, bucket: "secrets" });
  await bench.publish({ ...bench.claim, bucket: "secrets" }, { redriven_from: "DLQ-training-data/0/0" });
  await bench.start();
  await bench.clock.advance(1_000);
  expect(await bench.letters()).toMatchObject([{ code: "CLAIM_FORBIDDEN" }, { code: "CLAIM_FORBIDDEN" }]);
  expect(new Set((await bench.candidates()).map(({ work_key }) => work_key)).size).toBe(2);
});
