import { keys } from "@flts/common/contracts/layout";
import { expect, test } from "vitest";
import { evalStage } from "../../src/eval-stage.ts";
import { createDoor, type Door } from "../../src/promotion/door.ts";
import { expectLinear, headOf, historyOf } from "../books.ts";
import { bucket, context } from "../builders.ts";
import { createWorld, successOf, type World } from "../trained-world.ts";

const order = { identifier: "", reason: "it is better", actor: "kim", force: false };

/** A station with a champion that the gate let in, and the door to it. */
async function openWorld(): Promise<{
  readonly world: World;
  readonly door: Door;
  readonly champion: string;
}> {
  const world = await createWorld();
  const candidate = await world.train();
  await evalStage.handle(successOf(candidate), world.evalDeps(), context);
  return { world, door: createDoor(world.doorDeps), champion: candidate.run_id! };
}

test("a promotion by hand is the next epoch, with who asked for it and why, and is announced", async () => {
  const { world, door } = await openWorld();
  const { run_id: runId } = await world.train({ window: 5, round: "other" });
  const { promotion, changed } = await door.promote({ ...order, runId: runId! });
  expect(changed).toBe(true);
  expect(promotion).toMatchObject({
    epoch: 2,
    run_id: runId,
    source: "manual",
    verdict: "promoted",
    actor: "kim",
    reason: "it is better",
    version: "1.1.0",
    previous_epoch: 1,
  });
  expect(promotion.overridden).toBeUndefined();
  expect(await headOf(world.store)).toEqual(promotion);
  expect(world.published).toEqual([promotion]);
  expect(world.lines).toContainEqual(
    expect.objectContaining({ event: "promotion_manual", actor: "kim", epoch: 2 }),
  );
  await expectLinear(world.store);
});

test("promoting the present champion makes no epoch", async () => {
  const { world, door, champion } = await openWorld();
  const { promotion, changed } = await door.promote({ ...order, runId: champion });
  expect([promotion.epoch, changed]).toEqual([1, false]);
  expect(await historyOf(world.store)).toHaveLength(1);
});

test("a rollback is a new epoch of the model before, keeps its version, and goes a step further each time", async () => {
  const { world, door, champion } = await openWorld();
  const second = (await world.train({ window: 5, round: "b" })).run_id!;
  const third = (await world.train({ window: 6, round: "c" })).run_id!;
  await door.promote({ ...order, runId: second });
  await door.promote({ ...order, runId: third });
  const back = await door.rollback({ ...order, toEpoch: null });
  expect(back.promotion).toMatchObject({ epoch: 4, run_id: second, restored_epoch: 2, version: "1.1.0" });
  const further = await door.rollback({ ...order, toEpoch: null });
  expect(further.promotion).toMatchObject({
    epoch: 5,
    run_id: champion,
    restored_epoch: 1,
    version: "1.0.0",
  });
  await expect(door.rollback({ ...order, toEpoch: null })).rejects.toMatchObject({
    code: "PROMOTION_REFUSED",
  });
  const forth = await door.rollback({ ...order, toEpoch: 3 });
  expect(forth.promotion).toMatchObject({
    epoch: 6,
    run_id: third,
    version: "1.2.0",
    highest_version: "1.2.0",
  });
  expect((await historyOf(world.store)).map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6]);
});

test("going back to the model that serves already makes no epoch", async () => {
  const { door } = await openWorld();
  expect(await door.rollback({ ...order, toEpoch: 1 })).toMatchObject({
    changed: false,
    promotion: { epoch: 1 },
  });
});

test.each([
  ["without a champion", "Sants", null],
  ["to before the first", "", null],
  ["to an epoch that never was", "", 7],
])("a rollback %s is refused", async (_name, identifier, toEpoch) => {
  const { world, door } = await openWorld();
  await expect(door.rollback({ ...order, identifier, toEpoch })).rejects.toMatchObject({
    code: "PROMOTION_REFUSED",
  });
  expect(world.lines.at(-1)).toMatchObject({ event: "promotion_refused", actor: "kim" });
  expect(world.published).toEqual([]);
});

test("a run that is not known, or was never finished, is refused", async () => {
  const { world, door } = await openWorld();
  await expect(door.promote({ ...order, runId: "0".repeat(32) })).rejects.toMatchObject({
    code: "RUN_MISSING",
  });
  const { runId } = await world.tracker.startRun({ experiment: "Default", name: "LSTM", tags: {} });
  await expect(door.promote({ ...order, runId })).rejects.toMatchObject({ code: "RUN_MISSING" });
});

test("a run with a file of other bytes is refused, also with force", async () => {
  const { world, door } = await openWorld();
  const runId = (await world.train({ window: 5, round: "b" })).run_id!;
  await world.tracker.putArtifact(runId, "LINEAR/model.onnx", new Uint8Array([1]));
  await expect(door.promote({ ...order, runId, force: true })).rejects.toMatchObject({
    code: "ARTIFACT_INVALID",
  });
});

test("a run whose manifest was written anew after its training is refused", async () => {
  const { world, door } = await openWorld();
  const runId = (await world.train({ window: 5, round: "b" })).run_id!;
  const manifest = await world.tracker.getArtifact(runId, "LINEAR/manifest.json");
  await world.tracker.putArtifact(
    runId,
    "LINEAR/manifest.json",
    Buffer.concat([manifest!, Buffer.from(" ")]),
  );
  await expect(door.promote({ ...order, runId })).rejects.toMatchObject({ code: "ARTIFACT_INVALID" });
});

test("a run of another station is refused", async () => {
  const { world, door } = await openWorld();
  const runId = (await world.train({ identifier: "ElBorn", round: "b" })).run_id!;
  await expect(door.promote({ ...order, runId, force: true })).rejects.toMatchObject({
    code: "PROMOTION_REFUSED",
    message: expect.stringContaining("station ElBorn"),
  });
});

test("of two runs of one training only the one that is its result can be promoted", async () => {
  const { world, door } = await openWorld();
  const first = await world.train({ window: 5, round: "b" });
  const second = await world.train({ window: 5, round: "b" });
  await expect(door.promote({ ...order, runId: first.run_id! })).rejects.toMatchObject({
    message: expect.stringContaining(second.run_id!),
  });
});

test("another feature schema is refused, and promoted as a major version when it is forced", async () => {
  const { world, door } = await openWorld();
  const runId = (await world.train({ targets: ["down", "up"], round: "b" })).run_id!;
  await expect(door.promote({ ...order, runId })).rejects.toMatchObject({
    code: "PROMOTION_REFUSED",
    message: expect.stringContaining("another feature schema"),
  });
  const { promotion } = await door.promote({ ...order, runId, force: true });
  expect(promotion).toMatchObject({
    version: "2.0.0",
    overridden: [expect.stringContaining("another feature schema")],
  });
});

test("what the gate rejected is refused, and its rejection overridden on record when it is forced", async () => {
  const { world, door } = await openWorld();
  const worse = await world.train({ window: 5, round: "b" });
  await evalStage.handle(
    successOf(worse),
    world.evalDeps({
      judgeRound: async (...input) => {
        const judged = await world.judge(...input);
        const scoreboard = judged.scoreboard.map((row) => ({ ...row, verdict: "rejected" as const }));
        return { ...judged, scoreboard, verdict: "rejected" as const };
      },
    }),
    context,
  );
  const runId = worse.run_id!;
  await expect(door.promote({ ...order, runId })).rejects.toMatchObject({
    message: expect.stringContaining("the gate rejected"),
  });
  const { promotion } = await door.promote({ ...order, runId, force: true });
  expect(promotion.overridden).toEqual([expect.stringContaining("the gate rejected")]);
  // It was overridden once for good: going back there asks for no force.
  await door.rollback({ ...order, toEpoch: 1 });
  expect((await door.rollback({ ...order, toEpoch: 2 })).promotion).toMatchObject({
    epoch: 4,
    run_id: runId,
  });
});

test("an order that was carried out, but whose answer was lost, is recognised when it is given again", async () => {
  const { world } = await openWorld();
  const runId = (await world.train({ window: 5, round: "b" })).run_id!;
  const failing = createDoor({ ...world.doorDeps, publish: async () => Promise.reject(new Error("no log")) });
  await expect(failing.promote({ ...order, runId })).rejects.toThrow("no log");
  const again = await createDoor(world.doorDeps).promote({ ...order, runId });
  expect(again).toMatchObject({ changed: false, promotion: { epoch: 2 } });
  expect(world.published).toEqual([again.promotion]);
});

test("of two operators at once each gets an epoch, or finds its run promoted", async () => {
  const { world, door } = await openWorld();
  const runs = [await world.train({ window: 5, round: "b" }), await world.train({ window: 6, round: "c" })];
  await Promise.all(runs.map(({ run_id }) => door.promote({ ...order, runId: run_id! })));
  expect((await historyOf(world.store)).map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
  await expectLinear(world.store);
  expect(await world.store.head({ bucket, key: keys.history("", 4) })).toBeNull();
});
