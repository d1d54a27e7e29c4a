import { buckets } from "@flts/common/contracts/layout";
import { expect, test } from "vitest";
import { evalStage } from "../../src/eval-stage.ts";
import { createDoor } from "../../src/promotion/door.ts";
import { judgeRun } from "../../src/round/dry-run.ts";
import { type ReplayDeps, replayEpoch } from "../../src/round/replay.ts";
import { context, patienceFor } from "../builders.ts";
import { createWorld, successOf, type World } from "../trained-world.ts";

const depsOf = (world: World): ReplayDeps => ({
  ...world.doorDeps,
  processedBucket: buckets.processed,
  claimMaxBytes: 1e9,
});

/** A station whose second epoch was decided between two candidates and a champion that it had before. */
async function openWorld(): Promise<World> {
  const world = await createWorld();
  await evalStage.handle(successOf(await world.train({ to: 600, window: 1 })), world.evalDeps(), context);
  await world.train({ window: 5, round: "b" });
  const patience = patienceFor(["LINEAR"]);
  const last = await world.train({ window: 40, round: "b" });
  const judgeRound = (...input: Parameters<World["judge"]>) => world.judge(input[0], input[1], "baseline");
  await evalStage.handle(successOf(last), world.evalDeps({ patience, judgeRound }), context);
  return world;
}

test("a past decision, taken again from the stored rows, has the same verdict and the same numbers", async () => {
  const world = await openWorld();
  for (const epoch of [1, 2]) {
    const { decision, again, differences } = await replayEpoch("", epoch, depsOf(world));
    expect(differences).toEqual([]);
    expect(again.scoreboard).toEqual(decision.scoreboard);
    expect(again.reason).toBe(decision.reason);
  }
  const { decision } = await replayEpoch("", 2, depsOf(world));
  expect(decision).toMatchObject({ gate: "baseline", base_epoch: 1, champion: { epoch: 1 } });
  expect(decision.scoreboard).toHaveLength(2);
});

test("candidates that came later do not count", async () => {
  const world = await openWorld();
  await world.train({ window: 6, round: "b" });
  expect((await replayEpoch("", 2, depsOf(world))).differences).toEqual([]);
});

test("what is no longer as it was is named", async () => {
  const world = await openWorld();
  const { decision } = await replayEpoch("", 2, depsOf(world));
  const [row] = decision.scoreboard;
  await world.tracker.putArtifact(row!.run_id, "LINEAR/model.onnx", new Uint8Array([1]));
  const { differences } = await replayEpoch("", 2, depsOf(world));
  expect(differences).toContain(`LINEAR (run ${row!.run_id}) cannot be scored any more`);
});

test("an epoch that a person decided, or that never was, cannot be taken again", async () => {
  const world = await openWorld();
  await createDoor(world.doorDeps).rollback({
    identifier: "",
    reason: "too slow",
    actor: "kim",
    force: false,
    toEpoch: 1,
  });
  await expect(replayEpoch("", 3, depsOf(world))).rejects.toMatchObject({
    code: "PROMOTION_REFUSED",
    message: expect.stringContaining("kim: too slow"),
  });
  await expect(replayEpoch("", 9, depsOf(world))).rejects.toMatchObject({ code: "PROMOTION_REFUSED" });
});

test("a dry run says what the gate would of a run alone, and writes nothing", async () => {
  const world = await openWorld();
  const { run_id: runId } = await world.train({ window: 6, round: "c" });
  const before = await keysIn(world);
  const { champion, judgement } = await judgeRun(runId!, "", { ...depsOf(world), gate: "strict" });
  expect(champion).toMatchObject({ epoch: 2 });
  expect(judgement).toMatchObject({ winner: runId, gate: "strict", champion: { epoch: 2 } });
  expect(judgement.scoreboard).toHaveLength(1);
  expect(await keysIn(world)).toEqual(before);
});

async function keysIn({ store }: World): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { key, etag } of store.list(buckets.promotion, "")) found.push(`${key} ${etag}`);
  return found;
}
