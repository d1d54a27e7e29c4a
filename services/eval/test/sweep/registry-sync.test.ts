import type { Candidate } from "@flts/common/contracts/candidate";
import { FltsError } from "@flts/common/contracts/errors";
import { keys } from "@flts/common/contracts/layout";
import type { ModelVersion } from "@flts/common/ports/run-tracker";
import { withFaults } from "@flts/testing/faults";
import { expect, test } from "vitest";
import { type EvalDeps, evalStage } from "../../src/eval-stage.ts";
import { createDoor } from "../../src/promotion/door.ts";
import { createUntoldDecisions } from "../../src/round/untold.ts";
import { createRegistrySync, type RegistrySync, registeredModelOf } from "../../src/sweep/registry-sync.ts";
import { headOf, historyOf } from "../books.ts";
import { bucket, context } from "../builders.ts";
import { createWorld, successOf, type World } from "../trained-world.ts";

const order = { identifier: "", reason: "r", actor: "kim", force: false };
const model = registeredModelOf("");

/** Tells the registry what the head and the history say, as a sweep does. */
async function follow(world: World, registry: RegistrySync): Promise<void> {
  const head = (await headOf(world.store))!;
  const history = await historyOf(world.store);
  await registry.flush();
  await registry.follow(head, history.find(({ epoch }) => epoch === head.previous_epoch) ?? null);
}

/** Which alias names which run. */
async function aliasesOf({ tracker }: World): Promise<Record<string, string>> {
  const named = (await tracker.listModelVersions(model)).flatMap(({ runId, aliases }: ModelVersion) =>
    aliases.map((alias) => [alias, runId]),
  );
  return Object.fromEntries(named) as Record<string, string>;
}

const registryOn = (world: World, tracker = world.tracker): RegistrySync =>
  createRegistrySync({ ...world.evalDeps(), tracker, untold: createUntoldDecisions(world.store, bucket) });

async function openWorld() {
  const world = await createWorld();
  const registry = registryOn(world);
  const handle = async (candidate: Candidate, overrides: Partial<EvalDeps> = {}) => {
    await evalStage.handle(successOf(candidate), world.evalDeps(overrides), context);
    await follow(world, registry);
  };
  const first = await world.train();
  await handle(first);
  return { world, registry, handle, first: first.run_id! };
}

test("the champion is a registered version with its own number and the alias, and its run is tagged with the gate's words", async () => {
  const { world, first } = await openWorld();
  expect(await world.tracker.listModelVersions(model)).toMatchObject([
    { runId: first, path: "LINEAR", tags: { semantic_version: "1.0.0" }, aliases: ["champion"] },
  ]);
  expect((await world.tracker.getRun(first))?.tags).toMatchObject({
    promoted: "true",
    promotion_epoch: "1",
    semantic_version: "1.0.0",
    gate_verdict: "cold_start",
    gate_mode: "strict",
    gate_rows: "200",
  });
});

test("a held candidate is the challenger, until it is promoted; then the old champion is the previous one", async () => {
  const { world, registry, handle, first } = await openWorld();
  const held = await world.train({ window: 11, round: "b" });
  await handle(held);
  expect(await aliasesOf(world)).toEqual({ champion: first, challenger: held.run_id });
  await createDoor(world.doorDeps).promote({ ...order, runId: held.run_id! });
  await follow(world, registry);
  expect(await aliasesOf(world)).toEqual({ champion: held.run_id, previous: first });
});

test("a champion that is measured anew and held against itself is no challenger", async () => {
  const { world, handle, first } = await openWorld();
  await handle(await world.train({ window: 12 }), {
    judgeRound: async (candidates, champion) => ({
      ...(await world.judge(candidates, champion)),
      verdict: "held" as const,
      winner: first,
    }),
  });
  expect(await aliasesOf(world)).toEqual({ champion: first });
});

test("a rollback moves the aliases back, and registers nothing anew", async () => {
  const { world, registry, first } = await openWorld();
  const door = createDoor(world.doorDeps);
  const second = (await world.train({ window: 5, round: "b" })).run_id!;
  await door.promote({ ...order, runId: second });
  await follow(world, registry);
  await door.rollback({ ...order, toEpoch: null });
  await follow(world, registry);
  expect(await aliasesOf(world)).toEqual({ champion: first, previous: second });
  expect(await world.tracker.listModelVersions(model)).toHaveLength(2);
});

test("a registry that was away, or lost what it was told, is told again", async () => {
  const { world, first } = await openWorld();
  await world.tracker.removeModelAlias(model, "champion");
  const faults = withFaults(world.tracker);
  const registry = registryOn(world, faults.port);
  faults.failNext("listModelVersions", new FltsError("TRACKER_UNAVAILABLE", "away"));
  await follow(world, registry);
  expect(world.lines.at(-1)).toMatchObject({ event: "promotion_registry_fail", code: "TRACKER_UNAVAILABLE" });
  expect(await aliasesOf(world)).toEqual({});
  await follow(world, registry);
  expect(await aliasesOf(world)).toEqual({ champion: first });
});

test("a decision noted while the tracker was away is told when it is back, and one that it refuses is not told for ever", async () => {
  const world = await createWorld();
  const faults = withFaults(world.tracker);
  const registry = registryOn(world, faults.port);
  const candidate = await world.train();
  await evalStage.handle(successOf(candidate), world.evalDeps(), context);
  faults.failNext("setTags", new FltsError("TRACKER_UNAVAILABLE", "away"));
  await registry.flush();
  expect((await world.tracker.getRun(candidate.run_id!))?.tags["gate_verdict"]).toBeUndefined();
  await registry.flush();
  expect((await world.tracker.getRun(candidate.run_id!))?.tags["gate_verdict"]).toBe("cold_start");
  await evalStage.handle(successOf(candidate), world.evalDeps(), context);
  faults.failNext("setTags", new FltsError("TRACKER_REJECTED", "no"));
  await registry.flush();
  await registry.flush();
  expect(world.lines.filter(({ event }) => event === "promotion_registry_fail")).toHaveLength(2);
});

test("a decision whose eval died before it told the tracker is told by the next one", async () => {
  const world = await createWorld();
  const candidate = await world.train();
  await evalStage.handle(successOf(candidate), world.evalDeps(), context);
  await registryOn(world).flush();
  expect((await world.tracker.getRun(candidate.run_id!))?.tags["gate_verdict"]).toBe("cold_start");
  for await (const { key } of world.store.list(bucket, keys.untoldDecisions)) expect.unreachable(key);
});

test("a decision that is gone when the tracker could be told keeps none behind it untold", async () => {
  const world = await createWorld();
  const untold = createUntoldDecisions(world.store, bucket);
  await untold.note({ round: "r", decision_id: "0", attempt: 1, identifier: "" });
  const candidate = await world.train();
  await evalStage.handle(successOf(candidate), world.evalDeps(), context);
  await registryOn(world).flush();
  expect((await world.tracker.getRun(candidate.run_id!))?.tags["gate_verdict"]).toBe("cold_start");
});

test("a note that cannot be understood keeps none behind it untold", async () => {
  const world = await createWorld();
  await world.store.put({ bucket, key: `${keys.untoldDecisions}0.json` }, Buffer.from("half a no"));
  const candidate = await world.train();
  await evalStage.handle(successOf(candidate), world.evalDeps(), context);
  await registryOn(world).flush();
  expect((await world.tracker.getRun(candidate.run_id!))?.tags["gate_verdict"]).toBe("cold_start");
});

test("nothing that the registry does stops a promotion", async () => {
  const world = await createWorld();
  const faults = withFaults(world.tracker);
  for (const operation of ["listModelVersions", "registerModel", "setModelAlias", "setTags"] as const)
    faults.failNext(operation, new FltsError("TRACKER_UNAVAILABLE", "away"), 9);
  const registry = registryOn(world, faults.port);
  const candidate = await world.train();
  const emissions = await evalStage.handle(successOf(candidate), world.evalDeps(), context);
  await follow(world, registry);
  expect(emissions).toHaveLength(1);
  expect(await headOf(world.store)).toMatchObject({ run_id: candidate.run_id });
});
