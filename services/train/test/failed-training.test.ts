import { FltsError } from "@flts/common/contracts/errors";
import { expect, test, vi } from "vitest";
import type { TrainDeps } from "../src/train-once.ts";
import { trainStage } from "../src/train-stage.ts";
import { context, createBench, expectOneResult, outcomesOf } from "./bench.ts";
import { fitted } from "./small-model.ts";

/** What becomes of claims and trainings that fail. */

const HOUR_MS = 3_600_000;

const failingTrain = (error: Error) =>
  vi.fn<TrainDeps["train"]>(async () => {
    throw error;
  });

test.each(["TRAINING_DIVERGED", "SETTINGS_INVALID"] as const)(
  "%s is the result of a sound message: FAILED with its reason, no dead letter, nothing half-written",
  async (code) => {
    const bench = await createBench();
    await bench.publish(bench.claim);
    await bench.start({ train: failingTrain(new FltsError(code, "the loss is NaN")) });
    await bench.clock.advance(0);
    expect(await outcomesOf(bench)).toMatchObject([{ status: "FAILED", code, reason: "the loss is NaN" }]);
    const [candidate] = await bench.candidates();
    const [run] = await bench.runs();
    expect(candidate).toMatchObject({ status: "FAILED", run_id: run?.runId, manifest_sha256: null, code });
    expect(run).toMatchObject({ status: "FAILED", tags: { code, reason: "the loss is NaN" } });
    expect(await bench.tracker.listArtifacts(run?.runId ?? "", "")).toEqual([]);
    expect([await bench.letters(), await bench.isDone()]).toEqual([[], true]);
  },
);

test("a failed training that is asked for again stays failed, and is not attempted again", async () => {
  const bench = await createBench();
  await bench.publish(bench.claim);
  await bench.publish(bench.claim);
  const train = failingTrain(new FltsError("TRAINING_DIVERGED", "the loss is NaN"));
  await bench.start({ train });
  await bench.clock.advance(0);
  expect(train).toHaveBeenCalledTimes(1);
  const [first, second] = await outcomesOf(bench);
  expect(second).toEqual(first);
});

test.each([
  ["a bucket that is none of ours", { bucket: "secrets" }, "CLAIM_FORBIDDEN"],
  ["other bytes than were claimed", { sha256: "0".repeat(64) }, "CLAIM_CORRUPT"],
])("a claim on %s is dead-lettered, and eval hears that its training failed", async (_name, fault, code) => {
  const bench = await createBench();
  await bench.publish({ ...bench.claim, ...fault });
  await bench.start();
  await bench.clock.advance(0);
  expect(await bench.letters()).toMatchObject([{ operation: "train", code, topic: "training-data" }]);
  expect(await bench.events()).toMatchObject([{ status: "FAILED", code, run_id: null }]);
  expect(await bench.candidates()).toMatchObject([{ status: "FAILED", code, run_id: null }]);
  expect([await bench.runs(), await bench.isDone()]).toEqual([[], true]);
});

test("a claim that is larger than what is read is dead-lettered unread", async () => {
  const bench = await createBench();
  await bench.publish(bench.claim);
  await bench.start({ claimMaxBytes: 10 });
  await bench.clock.advance(0);
  expect(await bench.letters()).toMatchObject([{ code: "OBJECT_TOO_LARGE" }]);
  expect(await bench.events()).toMatchObject([{ status: "FAILED", code: "OBJECT_TOO_LARGE" }]);
});

test("a table at fault is found by the training: dead letter, FAILED, and the run is closed", async () => {
  const bench = await createBench();
  await bench.publish(bench.claim);
  await bench.start({
    train: failingTrain(new FltsError("COLUMN_MISSING", "the table has no column 'down'")),
  });
  await bench.clock.advance(0);
  expect(await bench.letters()).toMatchObject([{ code: "COLUMN_MISSING", attempts: 1 }]);
  expect(await outcomesOf(bench)).toMatchObject([{ status: "FAILED", code: "COLUMN_MISSING" }]);
  expect((await bench.runs()).map(({ status }) => status)).toEqual(["KILLED"]);
});

test("garbage is dead-lettered, and nobody is told of a training that nobody could name", async () => {
  const bench = await createBench();
  await bench.publish({ ...bench.claim, size: "many" });
  await bench.start();
  await bench.clock.advance(0);
  expect(await bench.letters()).toMatchObject([{ code: "EVENT_INVALID" }]);
  expect([await bench.events(), await bench.candidates(), await bench.isDone()]).toEqual([[], [], true]);
});

test("a training process that dies is started again, and its run is closed as superseded", async () => {
  const bench = await createBench();
  const crashed = new FltsError("TRAINING_CRASHED", "killed by SIGKILL");
  const train = vi
    .fn(async () => fitted)
    .mockRejectedValueOnce(crashed)
    .mockRejectedValueOnce(crashed);
  await bench.publish(bench.claim);
  await bench.start({ train });
  await bench.clock.advance(10_000);
  await expectOneResult(bench);
  expect((await bench.runs()).map(({ status }) => status).toSorted()).toEqual([
    "FINISHED",
    "KILLED",
    "KILLED",
  ]);
  expect(await bench.letters()).toEqual([]);
});

test("a training process that dies every time is given up: dead letter and FAILED", async () => {
  const bench = await createBench();
  await bench.publish(bench.claim);
  await bench.start({ train: failingTrain(new FltsError("TRAINING_CRASHED", "killed by SIGKILL")) });
  await bench.clock.advance(HOUR_MS);
  expect(await bench.letters()).toMatchObject([{ code: "TRAINING_CRASHED", attempts: 3 }]);
  expect(await outcomesOf(bench)).toMatchObject([{ status: "FAILED", code: "TRAINING_CRASHED" }]);
  expect((await bench.runs()).map(({ status }) => status)).toEqual(["KILLED", "KILLED", "KILLED"]);
});

test("giving up a training that somebody else finished publishes that success", async () => {
  const bench = await createBench();
  const [success] = await trainStage.handle(bench.claim, bench.deps(), context);
  const farewell = await trainStage.giveUp?.(
    bench.claim,
    { code: "TRAINING_CRASHED", reason: "x" },
    bench.deps(),
    {},
  );
  expect(farewell).toEqual([success]);
  await expectOneResult(bench);
});
