import type { Candidate } from "@flts/common/contracts/candidate";
import { FltsError } from "@flts/common/contracts/errors";
import { buckets, keys } from "@flts/common/contracts/layout";
import { withFaults } from "@flts/testing/faults";
import { expect, test, vi } from "vitest";
import type { TrainDeps } from "../src/train-once.ts";
import { trainStage } from "../src/train-stage.ts";
import { type Bench, context, createBench, expectOneResult, LEASE_MS, overTime } from "./bench.ts";
import { fitted } from "./small-model.ts";

const MINUTES = 60_000;

/** A training that takes ten minutes, or ends at once when it is told to. */
const longTraining = ({ clock }: Bench) =>
  vi.fn<TrainDeps["train"]>(async ({ provenance }, signal) => {
    await clock.sleep(10 * MINUTES, signal);
    if (signal.aborted) throw new FltsError("TRAINING_CRASHED", "training was stopped");
    const { artifact } = fitted;
    return { ...fitted, artifact: { ...artifact, manifest: { ...artifact.manifest, ...provenance } } };
  });

/** As if the trainer had died before it could write its candidate. */
const forget = ({ store }: Bench, { round, model_type, work_key }: Candidate): Promise<void> =>
  store.remove({ bucket: buckets.promotion, key: keys.candidate(round, model_type, work_key) });

test("a second trainer waits while the first one trains, and publishes its result without training", async () => {
  const bench = await createBench();
  const train = longTraining(bench);
  const first = trainStage.handle(bench.claim, bench.deps({ train }), context);
  await bench.clock.advance(MINUTES);
  const second = trainStage.handle(bench.claim, bench.deps({ train }), context);
  const both = await overTime(bench.clock, Promise.all([first, second]));
  expect(both[1]).toEqual(both[0]);
  expect(train).toHaveBeenCalledTimes(1);
  expect(await bench.runs()).toHaveLength(1);
  await expectOneResult(bench);
});

test("a trainer that dies in mid-training is followed by another within the lease time", async () => {
  const bench = await createBench();
  const dead = new AbortController();
  const frozen = new Proxy(bench.store, {
    get: (target, name, receiver) => {
      const member: unknown = Reflect.get(target, name, receiver);
      return typeof member === "function"
        ? (...args: unknown[]) =>
            dead.signal.aborted ? new Promise(() => {}) : (Reflect.apply(member, target, args) as unknown)
        : member;
    },
  });
  void trainStage
    .handle(bench.claim, bench.deps({ store: frozen, train: () => new Promise(() => {}) }), context)
    .catch(() => undefined);
  await bench.clock.advance(MINUTES);
  const train = vi.fn<TrainDeps["train"]>(async () => fitted);
  const second = trainStage.handle(bench.claim, bench.deps({ train }), context);
  await bench.clock.advance(0);
  dead.abort();
  await bench.clock.advance(LEASE_MS - 1);
  expect(train).not.toHaveBeenCalled();
  await bench.clock.advance(1);
  expect(train).toHaveBeenCalledTimes(1);
  expect(await second).toMatchObject([{ value: { status: "SUCCESS" } }]);
  await expectOneResult(bench);
});

test("a trainer whose lease is gone ends its training at once, and is not blamed for it", async () => {
  const bench = await createBench();
  const { port, failNext } = withFaults(bench.store);
  const train = longTraining(bench);
  await bench.publish(bench.claim);
  await bench.start({ store: port, train });
  await bench.clock.advance(MINUTES);
  failNext("put", new FltsError("STORE_UNAVAILABLE", "down"), 5);
  await bench.clock.advance(LEASE_MS);
  expect(train.mock.calls[0]?.[1].reason).toMatchObject({ code: "LEASE_LOST" });
  await bench.clock.advance(20 * MINUTES);
  expect(train).toHaveBeenCalledTimes(2);
  await expectOneResult(bench);
  expect([await bench.letters(), await bench.isDone()]).toEqual([[], true]);
});

test("a partition that moves ends the training at once and frees the work for the next owner", async () => {
  const bench = await createBench();
  const train = longTraining(bench);
  await bench.publish(bench.claim);
  const first = await bench.start({ train });
  await bench.clock.advance(MINUTES);
  await bench.start({ train });
  await first.stop();
  expect(train.mock.calls[0]?.[1].aborted).toBe(true);
  await bench.clock.advance(LEASE_MS / 4);
  expect(train).toHaveBeenCalledTimes(2);
  await bench.clock.advance(10 * MINUTES);
  await expectOneResult(bench);
});

test("a model that was stored and never announced is adopted as it was, not trained again", async () => {
  const bench = await createBench();
  const timed = bench.deps({ train: longTraining(bench) });
  const [emission] = await overTime(bench.clock, trainStage.handle(bench.claim, timed, context));
  const before = await expectOneResult(bench);
  expect(before.seconds).toBe(600);
  await forget(bench, before);
  const train = vi.fn<TrainDeps["train"]>(async () => fitted);
  expect(await trainStage.handle(bench.claim, bench.deps({ train }), context)).toEqual([emission]);
  expect(train).not.toHaveBeenCalled();
  expect(await expectOneResult(bench)).toEqual(before);
});

test("a run that lacks a file of its model is not adopted", async () => {
  const bench = await createBench();
  await trainStage.handle(bench.claim, bench.deps(), context);
  const before = await expectOneResult(bench);
  await forget(bench, before);
  await bench.tracker.putArtifact(before.run_id ?? "", "LINEAR/model.onnx", Buffer.from("cut off"));
  const train = vi.fn<TrainDeps["train"]>(async () => fitted);
  await trainStage.handle(bench.claim, bench.deps({ train }), context);
  expect(train).toHaveBeenCalledTimes(1);
});
