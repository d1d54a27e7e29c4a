import { FltsError } from "@flts/common/contracts/errors";
import { inferenceData, trainingData } from "@flts/common/contracts/events";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { sliceRows } from "@flts/forecasting/table/table";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { createWorkbench, type Workbench } from "./workbench.ts";

const patience = { timeout: 15_000 };
let bench: Workbench;
beforeEach(async () => {
  bench = await createWorkbench();
});

async function uploadStation(name: string, seed: number): Promise<void> {
  const whole = synthesizeStation({ seed, rows: 60, startMs: Date.UTC(2024, 0, 1) });
  await bench.upload(`${name}.csv`, toCsv(sliceRows(whole, 0, 40)));
  await bench.upload(`${name}_test.csv`, toCsv(sliceRows(whole, 40)));
}

const claimed = () => bench.claims(trainingData).map(({ identifier }) => identifier);
const lettersOf = () =>
  bench.published
    .filter(({ topic }) => topic === "DLQ-preprocess")
    .map(({ value }) => value as { code: string; error: string; payload: Record<string, string> });

describe("one station", () => {
  test("keeps the identifier, whatever its files are called", async () => {
    await uploadStation("ElBorn", 1);
    await bench.run({ DATASET_NAME: "ElBorn" });
    await bench.run({ DATASET_NAME: "ElBorn,", IDENTIFIER: "north" });
    await bench.run({ TRAIN_FILE: "ElBorn_test.csv", TEST_FILE: "ElBorn.csv", IDENTIFIER: "back" });
    expect(claimed()).toEqual(["", "north", "back"]);
  });
});

test("a store that is away is waited for, wherever the job was: the claims come, and no dead letter", async () => {
  await uploadStation("ElBorn", 1);
  const away = new FltsError("STORE_UNAVAILABLE", "the store does not answer");
  bench.failNext("stream", away);
  bench.failNext("put", away, 2);
  const job = bench.run({ DATASET_NAME: "ElBorn" });
  const done = vi.waitUntil(async () => {
    await bench.clock.advance(5_000);
    return claimed().length > 0;
  }, patience);
  await job;
  await done;
  expect(claimed()).toEqual([""]);
  expect(lettersOf()).toEqual([]);
  expect(bench.lines.filter(({ event }) => event === "service_waiting")).toMatchObject([
    { waiting_for: "what station default needs", code: "STORE_UNAVAILABLE", attempt: 1 },
    { attempt: 2 },
    { attempt: 3 },
  ]);
});

test("a log that is away is waited for with a dead letter, too", async () => {
  const away = new FltsError("LOG_UNAVAILABLE", "the log does not answer");
  bench.failPublish(away, away);
  const done = vi.waitUntil(async () => {
    await bench.clock.advance(5_000);
    return lettersOf().length > 0;
  }, patience);
  await expect(bench.run({ DATASET_NAME: "Sants" })).rejects.toMatchObject({ code: "INPUT_MISSING" });
  await done;
  expect(lettersOf()).toMatchObject([{ code: "INPUT_MISSING" }]);
});

test("a dead letter that cannot be published at all leaves a line that says so", async () => {
  bench.failPublish(new FltsError("MESSAGE_TOO_LARGE", "too large"));
  await expect(bench.run({ DATASET_NAME: "Sants" })).rejects.toMatchObject({ code: "INPUT_MISSING" });
  expect(bench.lines.at(-1)).toMatchObject({ event: "failure", result: "no dead letter" });
});

describe("several stations", () => {
  beforeEach(async () => {
    for (const [index, name] of ["ElBorn", "LesCorts", "PobleSec"].entries())
      await uploadStation(name, index);
  });

  test("are each identified by the name of their files, in keys, heads and claims", async () => {
    await bench.run({ DATASET_NAME: "PobleSec, ElBorn,PobleSec", IDENTIFIER: "default" });
    expect(claimed()).toEqual(["PobleSec", "ElBorn"]);
    expect(bench.claims(inferenceData).map(({ identifier }) => identifier)).toEqual(["PobleSec", "ElBorn"]);
    expect(new Set(bench.claims(trainingData).map(({ round }) => round)).size).toBe(2);
    expect(bench.published.map(({ key }) => key)).toContain("train-claim/ElBorn");
    const keys = await bench.keys("processed-data");
    expect(keys).toContain("ElBorn/processed_data.meta.json");
    expect(keys).not.toContain("processed_data.meta.json");
  });

  test("are all that have both files where the name is *", async () => {
    await bench.upload("Half.csv", "time,down\n2024-01-01,1\n");
    await bench.upload("folder/Deep.csv", "time,down\n2024-01-01,1\n");
    await bench.upload("folder/Deep_test.csv", "time,down\n2024-01-01,1\n");
    await bench.upload("notes.txt", "hello");
    await bench.run({ DATASET_NAME: "*" });
    expect(claimed()).toEqual(["ElBorn", "LesCorts", "PobleSec"]);
  });

  test("are all done though one is broken, which leaves a line and a dead letter", async () => {
    await bench.upload("LesCorts.csv", "time,down\n2024-01-01,many\n");
    await expect(bench.run({ DATASET_NAME: "*" })).rejects.toMatchObject({
      code: "CSV_INVALID",
      message: expect.stringMatching(/1 of 3 stations failed: LesCorts \(CSV_INVALID\)/),
    });
    expect(claimed()).toEqual(["ElBorn", "PobleSec"]);
    expect(lettersOf()).toEqual([
      expect.objectContaining({
        operation: "preprocess",
        status: "Failure",
        code: "CSV_INVALID",
        error: expect.stringMatching(/LesCorts\.csv, line 2, column 'down': "many"/),
        payload: { TRAIN_FILE: "", TEST_FILE: "", DATASET_NAME: "*", IDENTIFIER: "LesCorts" },
      }),
    ]);
    const outcomes = bench.lines.filter(({ event }) => event === "success" || event === "failure");
    expect(outcomes.map(({ event, identifier }) => [event, identifier])).toEqual([
      ["success", "ElBorn"],
      ["failure", "LesCorts"],
      ["success", "PobleSec"],
    ]);
  });

  test("that all fail are all named, a missing one and one whose name is none among them", async () => {
    await bench.upload("a b.csv", "time,down\n2024-01-01,1\n");
    await bench.upload("a b_test.csv", "time,down\n2024-01-01,1\n");
    await expect(bench.run({ DATASET_NAME: "Sants,a b,global" })).rejects.toThrow(
      "3 of 3 stations failed: Sants (INPUT_MISSING), a b (OBJECT_NAME_INVALID), global (OBJECT_NAME_INVALID)",
    );
    expect(lettersOf()).toHaveLength(3);
  });

  test("cannot share named files", async () => {
    await expect(bench.run({ DATASET_NAME: "*", TRAIN_FILE: "ElBorn.csv" })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
  });
});

test("* in a bucket without a pair says what it looked for, in a dead letter too", async () => {
  await expect(bench.run({ DATASET_NAME: "*" })).rejects.toMatchObject({ code: "INPUT_MISSING" });
  expect(lettersOf()).toEqual([
    expect.objectContaining({ error: expect.stringContaining("<station>_test.csv") }),
  ]);
});

test("a job about one station fails with that station's own error", async () => {
  await expect(bench.run({ DATASET_NAME: "Sants" })).rejects.toThrow(/key=Sants\.csv/);
  expect(lettersOf()).toHaveLength(1);
});
