import { FltsError } from "@flts/common/contracts/errors";
import { trainingData } from "@flts/common/contracts/events";
import { buckets } from "@flts/common/contracts/layout";
import { parseEvent } from "@flts/common/contracts/topic";
import { expect, test, vi } from "vitest";
import type { TrainDeps } from "../src/train-once.ts";
import { trainStage } from "../src/train-stage.ts";
import { type Bench, context, createBench, expectOneResult, GROUP, outcomesOf } from "./bench.ts";
import { fitted } from "./small-model.ts";

const HOUR_MS = 3_600_000;

const countingTrain = () => vi.fn<TrainDeps["train"]>(async () => fitted);
/** Trains until it is told to stop. */
const cutOff: TrainDeps["train"] = (_work, signal) =>
  new Promise((_resolve, reject) => {
    const stop = (): void => reject(new FltsError("TRAINING_CRASHED", "training was stopped"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
  });

async function removeLease({ store }: Bench): Promise<void> {
  for await (const { key } of store.list(buckets.promotion, "_leases/"))
    await store.remove({ bucket: buckets.promotion, key });
}

test("a claim is trained: RUNNING, the run with its files, the candidate, SUCCESS, and done", async () => {
  const bench = await createBench();
  const started = bench.clock.now();
  await bench.publish(bench.claim);
  await bench.start({
    train: async () => {
      expect((await bench.events()).map(({ status }) => status)).toEqual(["RUNNING"]);
      await bench.clock.sleep(1_500);
      return { ...fitted, attachments: new Map([["loss.svg", Buffer.from("<svg/>")]]) };
    },
  });
  await bench.clock.advance(2_000);
  const candidate = await expectOneResult(bench);
  expect(candidate).toMatchObject({
    status: "SUCCESS",
    model_type: "LINEAR",
    experiment: "Default",
    identifier: "",
    config_hash: "c",
    round: bench.claim.round,
    table: { bucket: bench.claim.bucket, object: bench.claim.object, sha256: bench.claim.sha256 },
    started_at: started,
    seconds: 1.5,
  });
  const shared = {
    experiment: "Default",
    run_name: "LINEAR",
    round: candidate.round,
    work_key: candidate.work_key,
  };
  expect(await bench.events()).toMatchObject([
    { ...shared, operation: "Training Started: LINEAR", status: "RUNNING", run_id: candidate.run_id },
    { ...shared, operation: "Trained: LINEAR", status: "SUCCESS", run_id: candidate.run_id },
  ]);
  const [run] = await bench.runs();
  expect(run?.params).toMatchObject({ ...fitted.params, config_hash: "c" });
  expect(run?.metrics).toHaveProperty("score_rmse");
  expect(run?.tags).toMatchObject({
    work_key: candidate.work_key,
    round: candidate.round,
    model_type: "LINEAR",
  });
  expect(await bench.tracker.getArtifact(candidate.run_id ?? "", "loss.svg")).not.toBeNull();
  expect([await bench.isDone(), await bench.letters()]).toEqual([true, []]);
});

test("a claim that comes again is not trained again and publishes the same event", async () => {
  const bench = await createBench();
  const train = countingTrain();
  await bench.start({ train });
  await bench.publish(bench.claim);
  await bench.clock.advance(1_000);
  const runs = await bench.runs();
  for (let time = 0; time < 2; time++) {
    await bench.publish(bench.claim);
    await bench.clock.advance(1_000);
  }
  expect(train).toHaveBeenCalledTimes(1);
  const [first, ...repeated] = await outcomesOf(bench);
  expect(repeated).toEqual([first, first]);
  expect(await bench.runs()).toEqual(runs);
  await expectOneResult(bench);
});

test.each([
  ["other settings", { settings: { INPUT_SEQ_LEN: 20 } }],
  ["other targets", { targets: ["up"] }],
  ["another nonce", { nonce: "again" }],
])("with %s a training is another one, with a result of its own", async (_name, overrides) => {
  const bench = await createBench();
  await trainStage.handle(bench.claim, bench.deps(), context);
  await trainStage.handle(bench.claim, bench.deps(overrides), context);
  const candidates = await bench.candidates();
  expect(new Set(candidates.map(({ work_key }) => work_key)).size).toBe(2);
  expect((await bench.runs()).map(({ status }) => status)).toEqual(["FINISHED", "FINISHED"]);
});

test("a claim of the reference, without round and digest, has a round that follows from what it names", async () => {
  const bench = await createBench();
  const train = countingTrain();
  const { bucket, object, size } = bench.claim;
  const claim = { bucket, object_key: object, size, config_hash: "c", identifier: "" };
  for (let time = 0; time < 2; time++) await bench.publish(claim);
  await bench.start({ train });
  await bench.clock.advance(0);
  expect(train).toHaveBeenCalledTimes(1);
  const { round } = await expectOneResult(bench);
  expect(round).toMatch(/^[0-9a-f]{64}$/);
  const other = parseEvent(trainingData, Buffer.from(JSON.stringify({ ...claim, size: size + 1 })));
  await trainStage.handle(other, bench.deps(), context);
  expect(new Set((await bench.candidates()).map((candidate) => candidate.round)).size).toBe(2);
});

test("of two trainers at the same claim the first one's result stands, and both publish it", async () => {
  const bench = await createBench();
  const training = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const deaf: TrainDeps["train"] = async () => {
    training.resolve();
    await gate.promise;
    return fitted;
  };
  const loser = trainStage.handle(bench.claim, bench.deps({ train: deaf }), context);
  await training.promise;
  await removeLease(bench); // Whatever may have happened to it: the result does not rest on it.
  const winner = await trainStage.handle(bench.claim, bench.deps(), context);
  gate.resolve();
  expect(await loser).toEqual(winner);
  const { run_id } = await expectOneResult(bench);
  expect(winner).toMatchObject([{ topic: "model-training", value: { status: "SUCCESS", run_id } }]);
  expect(await bench.runs()).toHaveLength(2);
});

test("a claim that arrives before its object is trained once the object is there", async () => {
  const bench = await createBench();
  const ref = { bucket: bench.claim.bucket, key: bench.claim.object };
  const stored = await bench.store.get(ref);
  await bench.store.remove(ref);
  await bench.publish(bench.claim);
  await bench.start();
  await bench.clock.advance(10_000);
  expect([await bench.isDone(), await bench.events()]).toEqual([false, []]);
  await bench.store.put(ref, stored?.bytes ?? new Uint8Array());
  await bench.clock.advance(30_000);
  await expectOneResult(bench);
});

test.each(["stop", "eviction"] as const)(
  "a training cut off by a %s leaves nothing visible, and the next trainer does it",
  async (how) => {
    const bench = await createBench();
    await bench.publish(bench.claim);
    const first = await bench.start({ train: cutOff });
    await bench.clock.advance(1_000);
    if (how === "stop") await first.stop();
    else {
      void first.stop();
      bench.log.expireLeases(GROUP);
    }
    await bench.clock.advance(HOUR_MS);
    expect([await bench.candidates(), await outcomesOf(bench), await bench.letters()]).toEqual([[], [], []]);
    expect(await bench.isDone()).toBe(false);
    await bench.start();
    await bench.clock.advance(0);
    await expectOneResult(bench);
    expect(await bench.isDone()).toBe(true);
  },
);

test.each(["store", "tracker"] as const)(
  "an outage of the %s holds the claim for as long as it lasts",
  async (which) => {
    const bench = await createBench();
    let down = true;
    const code = which === "store" ? "STORE_UNAVAILABLE" : "TRACKER_UNAVAILABLE";
    const guarded = new Proxy(bench[which], {
      get: (target, name, receiver) =>
        down
          ? () => Promise.reject(new FltsError(code, "down"))
          : (Reflect.get(target, name, receiver) as unknown),
    });
    await bench.publish(bench.claim);
    await bench.start({ [which]: guarded });
    await bench.clock.advance(6 * HOUR_MS);
    expect([await bench.events(), await bench.letters(), await bench.isDone()]).toEqual([[], [], false]);
    down = false;
    await bench.clock.advance(60_000);
    await expectOneResult(bench);
    expect(await bench.isDone()).toBe(true);
  },
);
