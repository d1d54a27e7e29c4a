import { encodeDocument } from "@flts/common/claim-check/documents";
import { FltsError } from "@flts/common/contracts/errors";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { expect, test } from "vitest";
import { createLedger } from "../../src/promotion/ledger.ts";
import { pointerDigest } from "../../src/promotion/pointer-note.ts";
import { expectLinear, headOf, historyOf, rootCopyOf } from "../books.ts";
import { bucket, createStore, decisionOf, promotionBy } from "../builders.ts";
import { createDyingStore, Death } from "../dying-store.ts";

test("the first promotion makes history, head and the copy at the root; the next one moves them on", async () => {
  const store = await createStore();
  const ledger = createLedger(store, bucket);
  expect(await ledger.head("")).toBeNull();
  expect(await ledger.promote(decisionOf({ round: "a" }, 0))).toMatchObject({
    epoch: 1,
    previous_epoch: null,
  });
  expect(await ledger.promote(decisionOf({ round: "b" }, 1))).toMatchObject({ epoch: 2, previous_epoch: 1 });
  expect((await ledger.head(""))?.run_id).toBe("run-b-LINEAR");
  await expectLinear(store);
});

test("stations have heads of their own, and only the default one is copied to the root", async () => {
  const store = await createStore();
  const ledger = createLedger(store, bucket);
  await ledger.promote(decisionOf({ round: "a", identifier: "ElBorn" }, 0));
  expect(await rootCopyOf(store)).toBeNull();
  await ledger.promote(decisionOf({ round: "b", identifier: "LesCorts" }, 0));
  await ledger.promote(decisionOf({ round: "c", identifier: "default" }, 0));
  for (const identifier of ["ElBorn", "LesCorts", ""]) await expectLinear(store, identifier);
  expect((await rootCopyOf(store))?.run_id).toBe("run-c-LINEAR");
});

test("of two promotions against the same epoch one wins, and the other is told to decide again", async () => {
  const store = await createStore();
  const ledger = createLedger(store, bucket);
  expect(await ledger.promote(decisionOf({ round: "a" }, 0))).not.toBeNull();
  expect(await ledger.promote(decisionOf({ round: "b" }, 0))).toBeNull();
  expect((await headOf(store))?.run_id).toBe("run-a-LINEAR");
  await expectLinear(store);
});

test("promoting the same decision again changes nothing and returns the same promotion, also when others followed", async () => {
  const store = await createStore();
  const ledger = createLedger(store, bucket);
  const first = await ledger.promote(decisionOf({ round: "a" }, 0));
  await ledger.promote(decisionOf({ round: "b" }, 1));
  expect(await ledger.promote(decisionOf({ round: "a" }, 0))).toEqual(first);
  expect((await headOf(store))?.epoch).toBe(2);
  await expectLinear(store);
});

test("of two decisions of one attempt the first is kept, and both are told so", async () => {
  const store = await createStore();
  const ledger = createLedger(store, bucket);
  const first = decisionOf({ round: "a" }, 0);
  const second = { ...first, base_epoch: 7, verdict: "held" as const };
  expect(await ledger.readDecision(first.round, first.decision_id, 1)).toBeNull();
  expect(await ledger.recordDecision(first)).toEqual(first);
  expect(await ledger.recordDecision(second)).toEqual(first);
  expect(await ledger.readDecision(first.round, first.decision_id, 1)).toEqual(first);
  expect(await ledger.readDecision(first.round, first.decision_id, 2)).toBeNull();
});

test.each([
  ["the history entry", keys.history("", 1)],
  ["the head", keys.head("")],
  ["the copy at the root", keys.rootHead],
])(
  "%s that was written, but whose answer was lost, is recognised when it is tried again",
  async (_name, key) => {
    const store = await createStore();
    const ledger = createLedger(losingOneAnswer(store, key), bucket);
    await expect(ledger.promote(decisionOf({ round: "a" }, 0))).rejects.toThrow("answer lost");
    expect(await ledger.promote(decisionOf({ round: "a" }, 0))).toMatchObject({
      epoch: 1,
      run_id: "run-a-LINEAR",
    });
    expect(await historyOf(store)).toHaveLength(1);
    await expectLinear(store);
  },
);

test("a decision that was written, but whose answer was lost, is recognised when it is tried again", async () => {
  const decided = decisionOf({ round: "a" }, 0);
  const key = keys.decision(decided.round, decided.decision_id, 1);
  const ledger = createLedger(losingOneAnswer(await createStore(), key), bucket);
  await expect(ledger.recordDecision(decided)).rejects.toThrow("answer lost");
  expect(await ledger.recordDecision(decided)).toEqual(decided);
});

test("a promoter that died between history and head is finished by whoever looks at the head next", async () => {
  const store = await createStore();
  await createLedger(store, bucket).promote(decisionOf({ round: "a" }, 0));
  const mine = promotionBy(decisionOf({ round: "b" }, 1));
  await store.put({ bucket, key: keys.history("", 2) }, encodeDocument(mine));
  expect(await createLedger(store, bucket).head("")).toEqual(mine);
  await expectLinear(store);
});

test("several entries beyond the head are caught up with, one by one", async () => {
  const store = await createStore();
  for (const [index, round] of ["a", "b", "c"].entries())
    await store.put(
      { bucket, key: keys.history("", index + 1) },
      encodeDocument(promotionBy(decisionOf({ round }, index))),
    );
  expect((await createLedger(store, bucket).head(""))?.epoch).toBe(3);
  await expectLinear(store);
});

test("a promoter killed at any of its calls, and started again, promotes exactly once", async () => {
  for (const moment of ["before", "after"] as const)
    for (let nth = 1; ; nth++) {
      const store = await createStore();
      await createLedger(store, bucket).promote(decisionOf({ round: "a" }, 0));
      const dying = createDyingStore(store, nth, moment);
      const attempt = createLedger(dying.store, bucket).promote(decisionOf({ round: "b" }, 1));
      const died = await attempt.then(
        () => false,
        (error: unknown) => error instanceof Death,
      );
      expect(await createLedger(store, bucket).promote(decisionOf({ round: "b" }, 1))).toMatchObject({
        epoch: 2,
      });
      expect(await historyOf(store)).toHaveLength(2);
      await expectLinear(store);
      if (!died) break;
    }
});

const ENVELOPE = "--boundary\r\nContent-Disposition: form-data\r\n\r\n{}\r\n--boundary--";
const POINTER = JSON.stringify({ run_id: "1", model_type: "GRU", rmse: 0.4, experiment: "x" });

const note = (store: ObjectStore, key: string, bytes: Uint8Array) =>
  store.put({ bucket, key: keys.pointer("", pointerDigest(key, bytes)) }, encodeDocument({}));

test.each([
  ["the reference's envelope", ENVELOPE],
  ["the reference's own pointer", POINTER],
])("%s at the root is left alone until it is settled, and replaced then", async (_name, text) => {
  const store = await createStore();
  const bytes = Buffer.from(text);
  await store.put({ bucket, key: keys.rootHead }, bytes);
  const ledger = createLedger(store, bucket);
  const promoted = await ledger.promote(decisionOf({ round: "a" }, 0));
  expect(await headOf(store)).toEqual(promoted);
  expect((await store.get({ bucket, key: keys.rootHead }))?.bytes).toEqual(new Uint8Array(bytes));
  await note(store, keys.rootHead, bytes);
  await ledger.repairCopy(promoted!);
  expect(await rootCopyOf(store)).toEqual(promoted);
});

test("nobody moves a head over a pointer that is not settled; the history goes on without it, and the head follows then", async () => {
  const store = await createStore();
  const bytes = Buffer.from(POINTER);
  await store.put({ bucket, key: keys.head("") }, bytes);
  const ledger = createLedger(store, bucket);
  expect(await ledger.head("")).toBeNull();
  await ledger.promote(decisionOf({ round: "a" }, 0));
  const second = await ledger.promote(decisionOf({ round: "b" }, 1));
  expect(await ledger.head("")).toEqual(second);
  expect((await store.get({ bucket, key: keys.head("") }))?.bytes).toEqual(new Uint8Array(bytes));
  await note(store, keys.head(""), bytes);
  expect(await ledger.head("")).toEqual(second);
  await expectLinear(store);
});

test("a head that claims to be a promotion, but is in no history, counts for nothing", async () => {
  const store = await createStore();
  const ledger = createLedger(store, bucket);
  const first = await ledger.promote(decisionOf({ round: "a" }, 0));
  for (const forged of [
    { ...first, epoch: 99 },
    { ...first, promotion_id: "mine" },
  ]) {
    await store.put({ bucket, key: keys.head("") }, encodeDocument(forged));
    expect(await ledger.head("")).toEqual(first);
  }
});

test("a head that was removed is written again from the history", async () => {
  const store = await createStore();
  const ledger = createLedger(store, bucket);
  await ledger.promote(decisionOf({ round: "a" }, 0));
  const second = await ledger.promote(decisionOf({ round: "b" }, 1));
  await store.remove({ bucket, key: keys.head("") });
  expect(await ledger.head("")).toEqual(second);
  await expectLinear(store);
});

test("an identifier that leads out of its folder is refused", async () => {
  const ledger = createLedger(await createStore(), bucket);
  await expect(ledger.head("../other")).rejects.toMatchObject({ code: "OBJECT_NAME_INVALID" });
});

/** The store, which does the first put of that key and then says that it is unavailable. */
function losingOneAnswer(store: ObjectStore, key: string): ObjectStore {
  let lost = false;
  return {
    ...store,
    put: async (ref, body, options) => {
      const info = await store.put(ref, body, options);
      if (ref.key !== key || lost) return info;
      lost = true;
      throw new FltsError("STORE_UNAVAILABLE", "answer lost");
    },
  };
}
