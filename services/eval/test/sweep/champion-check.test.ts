import { expect, test, vi } from "vitest";
import { evalStage } from "../../src/eval-stage.ts";
import {
  type ChampionCheckDeps,
  createChampionCheck,
  lastWholeBefore,
} from "../../src/sweep/champion-check.ts";
import { headOf } from "../books.ts";
import { context } from "../builders.ts";
import { createWorld, successOf } from "../trained-world.ts";

async function openWorld() {
  const world = await createWorld();
  await evalStage.handle(successOf(await world.train()), world.evalDeps(), context);
  const onChecked = vi.fn<ChampionCheckDeps["onChecked"]>();
  const champion = (await headOf(world.store))!;
  const lines = () => world.lines.filter(({ event }) => event.startsWith("promotion_champion_"));
  return { world, champion, onChecked, lines, check: createChampionCheck({ ...world, onChecked }) };
}

test("a champion that is whole is nothing to tell of", async () => {
  const { check, champion, onChecked, lines } = await openWorld();
  await check.check(champion);
  expect(onChecked).toHaveBeenCalledWith("default", true);
  expect(lines()).toEqual([]);
});

test("a champion whose files changed is told of once, and again when it is whole", async () => {
  const { world, check, champion, onChecked, lines } = await openWorld();
  const path = "LINEAR/model.onnx";
  const model = await world.tracker.getArtifact(champion.run_id, path);
  await world.tracker.putArtifact(champion.run_id, path, new Uint8Array([1]));
  for (let minutes = 0; minutes < 3; minutes++) {
    await check.check(champion);
    await world.clock.advance(60_000);
  }
  expect(onChecked).toHaveBeenLastCalledWith("default", false);
  expect(lines()).toMatchObject([
    { event: "promotion_champion_unavailable", level: "error", code: "ARTIFACT_INVALID", epoch: 1 },
  ]);
  await world.tracker.putArtifact(champion.run_id, path, model!);
  await check.check(champion);
  expect(onChecked).toHaveBeenLastCalledWith("default", true);
  expect(lines().at(-1)).toMatchObject({ event: "promotion_champion_available" });
});

test("a champion whose run is gone is told of", async () => {
  const { check, champion, lines } = await openWorld();
  await check.check({ ...champion, run_id: "0".repeat(32) });
  expect(lines()).toMatchObject([{ event: "promotion_champion_unavailable", code: "RUN_MISSING" }]);
});

test("files are fetched once a minute, and at once for another champion", async () => {
  const { check, champion, onChecked, world } = await openWorld();
  await check.check(champion);
  await check.check(champion);
  expect(onChecked).toHaveBeenCalledTimes(1);
  await check.check({ ...champion, promotion_id: "another" });
  expect(onChecked).toHaveBeenCalledTimes(2);
  await world.clock.advance(60_000);
  await check.check({ ...champion, promotion_id: "another" });
  expect(onChecked).toHaveBeenCalledTimes(3);
});

test("a tracker that does not answer says nothing about the champion", async () => {
  const { check, champion, onChecked, world } = await openWorld();
  await world.tracker.close();
  await expect(check.check(champion)).rejects.toMatchObject({ code: "TRACKER_UNAVAILABLE" });
  expect(onChecked).not.toHaveBeenCalled();
});

test("in a lost champion's place stands the latest promotion of another run that is whole", async () => {
  const { world, champion } = await openWorld();
  const { ledger } = world.doorDeps;
  const gone = { ...champion, run_id: "0".repeat(32) };
  await ledger.append({ ...gone, epoch: 2, previous_epoch: 1, promotion_id: "2", run_id: "1".repeat(32) });
  await ledger.append({ ...gone, epoch: 3, previous_epoch: 2, promotion_id: "3" });
  const lost = { ...gone, epoch: 4, previous_epoch: 3, promotion_id: "4" };
  expect((await lastWholeBefore(lost, ledger, world.tracker))?.epoch).toBe(1);
  expect(await lastWholeBefore({ ...lost, epoch: 1 }, ledger, world.tracker)).toBeNull();
});
