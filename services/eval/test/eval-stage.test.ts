import { encodeDocument } from "@flts/common/claim-check/documents";
import { modelSelected } from "@flts/common/contracts/events";
import { keys } from "@flts/common/contracts/layout";
import type { Emission } from "@flts/common/contracts/topic";
import { expect, test, vi } from "vitest";
import { type EvalDeps, evalStage } from "../src/eval-stage.ts";
import { createLedger } from "../src/promotion/ledger.ts";
import { expectLinear, headOf, historyOf } from "./books.ts";
import {
  bucket,
  candidateOf,
  context,
  createStore,
  decisionOf,
  depsOn,
  eventOf,
  patienceFor,
  promoteFirst,
  storeCandidate,
  type Training,
} from "./builders.ts";
import { createDyingStore, Death } from "./dying-store.ts";

const handle = (training: Training, deps: EvalDeps): Promise<readonly Emission[]> =>
  evalStage.handle(eventOf(training), deps, context);

test("a training that has only begun is none of eval's business, and costs no look into the store", async () => {
  const { operation: _, ...event } = eventOf({ round: "a" });
  const running = { ...event, operation: "Training Started: LINEAR", status: "RUNNING" as const };
  const { store } = createDyingStore(await createStore(), 1, "before");
  expect(await evalStage.handle(running, depsOn(store), context)).toEqual([]);
});

test("a round is decided only when every expected family has a candidate", async () => {
  const store = await createStore();
  const judgeRound = vi.fn<EvalDeps["judgeRound"]>(async (...input) => promoteFirst(...input));
  const deps = depsOn(store, { patience: patienceFor(["GRU", "LINEAR", "LSTM"]), judgeRound });
  for (const family of ["LINEAR", "GRU"]) {
    await storeCandidate(store, { round: "a", family });
    expect(await handle({ round: "a", family }, deps)).toEqual([]);
  }
  expect(judgeRound).not.toHaveBeenCalled();
  await storeCandidate(store, { round: "a", family: "LSTM" });
  expect(await handle({ round: "a", family: "LSTM" }, deps)).toHaveLength(1);
  expect(judgeRound.mock.calls[0]?.[0].map(({ model_type }) => model_type)).toEqual([
    "GRU",
    "LINEAR",
    "LSTM",
  ]);
});

test("candidates of another round do not make this one complete", async () => {
  const store = await createStore();
  const deps = depsOn(store, { patience: patienceFor(["GRU", "LINEAR"]) });
  await storeCandidate(store, { round: "a", family: "LINEAR" });
  await storeCandidate(store, { round: "b", family: "GRU" });
  expect(await handle({ round: "a" }, deps)).toEqual([]);
});

test("an event that names another station than its round's decides nothing about that station", async () => {
  const store = await createStore();
  const training: Training = { round: "a", identifier: "Sants" };
  await storeCandidate(store, training);
  const deps = depsOn(store);
  const misled = await evalStage.handle({ ...eventOf(training), identifier: "ElBorn" }, deps, context);
  expect(misled).toMatchObject([{ value: { identifier: "Sants", epoch: 1 } }]);
  expect(await headOf(store, "ElBorn")).toBeNull();
  expect(await handle(training, deps)).toEqual(misled);
});

test("a family whose training failed is not waited for", async () => {
  const store = await createStore();
  const deps = depsOn(store, { patience: patienceFor(["GRU", "LINEAR"]) });
  await storeCandidate(store, { round: "a", family: "LINEAR" });
  await storeCandidate(store, { round: "a", family: "GRU", status: "FAILED" });
  const [emission] = await handle({ round: "a", family: "GRU", status: "FAILED" }, deps);
  expect(modelSelected.schema.parse(emission?.value).model_type).toBe("LINEAR");
});

test("a round in which every training failed promotes nobody", async () => {
  const store = await createStore();
  await storeCandidate(store, { round: "a", status: "FAILED" });
  expect(await handle({ round: "a", status: "FAILED" }, depsOn(store))).toEqual([]);
  expect(await headOf(store)).toBeNull();
});

test("the event is the promotion itself, as history and head have it", async () => {
  const store = await createStore();
  await storeCandidate(store, { round: "a", identifier: "ElBorn" });
  const emissions = await handle({ round: "a", identifier: "ElBorn" }, depsOn(store));
  const head = await headOf(store, "ElBorn");
  expect(emissions).toEqual([{ topic: "model-selected", key: "promotion/ElBorn", value: head }]);
  expect(modelSelected.schema.parse(head)).toEqual(head);
  await expectLinear(store, "ElBorn");
});

test("a repeated event publishes the same event, makes no epoch and scores nothing again", async () => {
  const store = await createStore();
  const judgeRound = vi.fn<EvalDeps["judgeRound"]>(async (...input) => promoteFirst(...input));
  await storeCandidate(store, { round: "a" });
  const first = await handle({ round: "a" }, depsOn(store, { judgeRound }));
  await storeCandidate(store, { round: "b" });
  await handle({ round: "b" }, depsOn(store, { judgeRound }));
  expect(await handle({ round: "a" }, depsOn(store, { judgeRound }))).toEqual(first);
  expect(judgeRound).toHaveBeenCalledTimes(2);
  expect((await headOf(store))?.epoch).toBe(2);
  await expectLinear(store);
});

test("a further candidate of a decided round makes a decision of its own", async () => {
  const store = await createStore();
  await storeCandidate(store, { round: "a", nonce: "2" });
  await handle({ round: "a", nonce: "2" }, depsOn(store));
  await storeCandidate(store, { round: "a", nonce: "1" });
  const judgeRound = vi.fn<EvalDeps["judgeRound"]>(async (candidates, champion) =>
    promoteFirst(
      candidates.filter(({ run_id }) => run_id !== champion?.run_id),
      champion,
    ),
  );
  const [emission] = await handle({ round: "a", nonce: "1" }, depsOn(store, { judgeRound }));
  expect(emission?.value).toMatchObject({ epoch: 2, run_id: "run-a-LINEAR1" });
  expect(judgeRound.mock.calls[0]?.[1]).toMatchObject({ epoch: 1, run_id: "run-a-LINEAR2" });
  await expectLinear(store);
});

test.each(["held", "rejected"] as const)(
  "a round that is %s is written down, promotes nobody, and is not scored again",
  async (verdict) => {
    const store = await createStore();
    const judgeRound = vi.fn<EvalDeps["judgeRound"]>(async (...input) => ({
      ...promoteFirst(...input),
      verdict,
    }));
    await storeCandidate(store, { round: "a" });
    expect(await handle({ round: "a" }, depsOn(store, { judgeRound }))).toEqual([]);
    expect(await handle({ round: "a" }, depsOn(store, { judgeRound }))).toEqual([]);
    expect(judgeRound).toHaveBeenCalledTimes(1);
    expect([await headOf(store), await historyOf(store)]).toEqual([null, []]);
  },
);

test("a lost race is not retried blindly: the round is judged again, against the new champion", async () => {
  const store = await createStore();
  await storeCandidate(store, { round: "a" });
  const judgeRound = vi.fn<EvalDeps["judgeRound"]>(async (candidates, champion) => {
    if (champion === null) await createLedger(store, bucket).promote(decisionOf({ round: "rival" }, 0));
    return promoteFirst(candidates, champion);
  });
  const [emission] = await handle({ round: "a" }, depsOn(store, { judgeRound }));
  expect(emission?.value).toMatchObject({ epoch: 2, previous_epoch: 1, verdict: "promoted" });
  expect(judgeRound.mock.calls.map(([, champion]) => champion?.run_id)).toEqual([
    undefined,
    "run-rival-LINEAR",
  ]);
  await expectLinear(store);
});

test("a race lost to a better model is not run again: the new champion stays", async () => {
  const store = await createStore();
  await storeCandidate(store, { round: "a" });
  const judgeRound: EvalDeps["judgeRound"] = async (candidates, champion) => {
    if (champion === null) await createLedger(store, bucket).promote(decisionOf({ round: "rival" }, 0));
    return { ...promoteFirst(candidates, champion), ...(champion === null ? {} : { verdict: "rejected" }) };
  };
  expect(await handle({ round: "a" }, depsOn(store, { judgeRound }))).toEqual([]);
  expect((await headOf(store))?.run_id).toBe("run-rival-LINEAR");
});

test("a candidate that is no candidate is refused, naming where it lies", async () => {
  const store = await createStore();
  const { round, model_type, work_key } = candidateOf({ round: "a" });
  const key = keys.candidate(round, model_type, work_key);
  await store.put({ bucket, key }, encodeDocument({ status: "SUCCESS" }));
  await expect(handle({ round: "a" }, depsOn(store))).rejects.toMatchObject({
    code: "POINTER_INVALID",
    message: expect.stringContaining(key),
  });
});

test("an eval killed at any of its calls, and started again, decides as if nothing had happened", async () => {
  for (const moment of ["before", "after"] as const)
    for (let nth = 1; ; nth++) {
      const store = await createStore();
      await storeCandidate(store, { round: "a" });
      await handle({ round: "a" }, depsOn(store));
      await storeCandidate(store, { round: "b" });
      const died = await handle({ round: "b" }, depsOn(createDyingStore(store, nth, moment).store)).then(
        () => false,
        (error: unknown) => error instanceof Death,
      );
      const [emission] = await handle({ round: "b" }, depsOn(store));
      expect(emission?.value).toEqual(await headOf(store));
      expect(await historyOf(store)).toHaveLength(2);
      await expectLinear(store);
      if (!died) break;
    }
});

test("deciding lists what lies below the round and the station, however many candidates others have", async () => {
  const memory = await createStore();
  for (let number = 0; number < 200; number++) await storeCandidate(memory, { round: `earlier ${number}` });
  await storeCandidate(memory, { round: "a" });
  const seen: string[] = [];
  const store: typeof memory = {
    ...memory,
    async *list(...call) {
      for await (const object of memory.list(...call)) {
        seen.push(object.key);
        yield object;
      }
    },
  };
  expect(await handle({ round: "a" }, depsOn(store))).toHaveLength(1);
  expect(seen).toEqual([
    keys.candidate(candidateOf({ round: "a" }).round, "LINEAR", candidateOf({ round: "a" }).work_key),
  ]);
});
