import { FltsError } from "@flts/common/contracts/errors";
import type { TrainingEvent } from "@flts/common/contracts/events";
import type { Emission } from "@flts/common/contracts/topic";
import type { FittedModel } from "@flts/families/fit";
import { familyOf } from "@flts/families/registry";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { describe, expect, test, vi } from "vitest";
import { type CombineDeps, combineStage } from "../src/combine-stage.ts";
import type { TrainDeps } from "../src/train-once.ts";
import { trainStage } from "../src/train-stage.ts";
import { type Bench, context, createBench } from "./bench.ts";
import { fitted } from "./small-model.ts";

const EXPECTED = ["GRU", "LINEAR", "LSTM", "ENSEMBLE"];

/** A model that passes for one of the family: what is in it does not matter here. */
const modelOf = (family: string): FittedModel => ({
  ...fitted,
  artifact: { ...fitted.artifact, manifest: { ...fitted.artifact.manifest, family } },
});

/** Lets a family's trainer settle its candidate; returns the event it publishes. */
async function trained(
  bench: Bench,
  family: string,
  overrides: Partial<TrainDeps> = {},
): Promise<TrainingEvent> {
  const deps = bench.deps({ family: familyOf(family), train: async () => modelOf(family), ...overrides });
  return eventOf(await trainStage.handle(bench.claim, deps, context));
}

const diverging: Partial<TrainDeps> = {
  train: async () => {
    throw new FltsError("TRAINING_DIVERGED", "the loss is NaN");
  },
};

const eventOf = (emissions: readonly Emission[]): TrainingEvent => emissions[0]?.value as TrainingEvent;

function combining(bench: Bench, overrides: Partial<CombineDeps> = {}) {
  const train = vi.fn<TrainDeps["train"]>(async () => modelOf("ENSEMBLE"));
  const deps: CombineDeps = {
    ...bench.deps({ family: familyOf("ENSEMBLE"), settings: {}, train }),
    expectedFamilies: EXPECTED,
    ...overrides,
  };
  return {
    deps,
    train,
    hear: (event: TrainingEvent) => combineStage.handle(event, deps, context),
    /** Families of the models that each training was given. */
    combined: () =>
      train.mock.calls.map(([{ members = [] }]) => members.map(({ manifest }) => manifest.family)),
  };
}

const ensemblesOf = async (bench: Bench) =>
  (await bench.candidates()).filter(({ model_type }) => model_type === "ENSEMBLE");

describe("the models of a round", () => {
  test("are combined when the last expected one is there, and not before", async () => {
    const bench = await createBench();
    const { hear, combined } = combining(bench);
    expect(await hear(await trained(bench, "LSTM"))).toEqual([]);
    expect(await hear(await trained(bench, "GRU"))).toEqual([]);
    expect(combined()).toEqual([]);
    const [emission] = await hear(await trained(bench, "LINEAR"));
    expect(combined()).toEqual([["GRU", "LINEAR", "LSTM"]]);
    const [candidate] = await ensemblesOf(bench);
    expect(candidate).toMatchObject({
      status: "SUCCESS",
      model_type: "ENSEMBLE",
      round: bench.claim.round,
      table: { bucket: bench.claim.bucket, object: bench.claim.object, sha256: bench.claim.sha256 },
    });
    expect(emission).toMatchObject({
      topic: "model-training",
      value: { status: "SUCCESS", run_name: "ENSEMBLE", run_id: candidate?.run_id },
    });
  });

  test("are combined once, however often their events are heard", async () => {
    const bench = await createBench();
    const { hear, combined } = combining(bench);
    const events = [
      await trained(bench, "GRU"),
      await trained(bench, "LINEAR"),
      await trained(bench, "LSTM"),
    ];
    const answers = [];
    for (const event of [...events, ...events]) answers.push(await hear(event));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(combined()).toHaveLength(1);
    expect(await ensemblesOf(bench)).toHaveLength(1);
  });

  test("without those that failed are combined", async () => {
    const bench = await createBench();
    const { hear, combined } = combining(bench);
    await trained(bench, "GRU");
    await trained(bench, "LINEAR", diverging);
    await hear(await trained(bench, "LSTM"));
    expect(combined()).toEqual([["GRU", "LSTM"]]);
  });

  test.each([
    [{ LINEAR: {}, LSTM: diverging }, /only LINEAR succeeded/],
    [{ LINEAR: diverging, LSTM: diverging }, /none succeeded/],
  ])("are not combined when fewer than two succeeded, and the round is told", async (outcomes, reason) => {
    const bench = await createBench();
    const { hear, train } = combining(bench);
    await trained(bench, "GRU", diverging);
    let event: TrainingEvent | undefined;
    for (const [family, overrides] of Object.entries(outcomes))
      event = await trained(bench, family, overrides);
    for (let time = 0; time < 2; time++)
      expect(eventOf(await hear(event!))).toMatchObject({
        status: "FAILED",
        run_name: "ENSEMBLE",
        code: "MEMBERS_MISSING",
        reason: expect.stringMatching(reason) as string,
      });
    expect(train).not.toHaveBeenCalled();
    expect(await ensemblesOf(bench)).toHaveLength(1);
  });

  test("make another work when one was trained later", async () => {
    const bench = await createBench();
    const { hear, train } = combining(bench);
    for (const family of ["GRU", "LINEAR", "LSTM"]) await trained(bench, family);
    await bench.clock.advance(1_000);
    const first = eventOf(await hear(await trained(bench, "GRU")));
    await bench.clock.advance(1_000);
    const retrained = await trained(bench, "GRU", { nonce: "again" });
    const second = eventOf(await hear(retrained));
    expect(second.work_key).not.toBe(first.work_key);
    expect(train).toHaveBeenCalledTimes(2);
    expect(await ensemblesOf(bench)).toHaveLength(2);
  });
});

test("its own events and those of trainings under way are none of its business", async () => {
  const bench = await createBench();
  const { hear, train } = combining(bench, { expectedFamilies: ["GRU", "LINEAR"] });
  await trained(bench, "GRU");
  const last = await trained(bench, "LINEAR");
  const own = eventOf(await hear(last));
  expect(await hear(own)).toEqual([]);
  expect(await hear({ ...last, status: "RUNNING", operation: "Training Started: LINEAR" })).toEqual([]);
  expect(train).toHaveBeenCalledTimes(1);
});

test("a member whose run is gone is named", async () => {
  const bench = await createBench();
  const { hear } = combining(bench, { expectedFamilies: ["GRU", "LINEAR"], tracker: createMemoryTracker() });
  await trained(bench, "GRU");
  await expect(hear(await trained(bench, "LINEAR"))).rejects.toMatchObject({ code: "RUN_MISSING" });
});

test("what is given up is the round's result; while a family is awaited there is nothing to give up", async () => {
  const bench = await createBench();
  const { deps } = combining(bench, { expectedFamilies: ["GRU", "LINEAR"] });
  const failure = { code: "TRAINING_CRASHED", reason: "killed three times" };
  expect(await combineStage.giveUp?.(await trained(bench, "GRU"), failure, deps, {})).toEqual([]);
  const given = await combineStage.giveUp?.(await trained(bench, "LINEAR"), failure, deps, {});
  expect(eventOf(given ?? [])).toMatchObject({ status: "FAILED", run_name: "ENSEMBLE", ...failure });
  expect(await ensemblesOf(bench)).toMatchObject([{ status: "FAILED", ...failure }]);
});
