import { writeDocument } from "@flts/common/claim-check/documents";
import { keys } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { ObjectStore } from "@flts/common/ports/object-store";
import fc from "fast-check";
import { expect, test } from "vitest";
import { lastPromotions, modelsOf } from "../../src/promotion/books.ts";
import { createHistory } from "../../src/promotion/history.ts";
import { createLedger } from "../../src/promotion/ledger.ts";
import { expectLinear } from "../books.ts";
import { bucket, createStore, decisionOf, promotionBy } from "../builders.ts";

/** A station whose epoch n promoted the n-th of these runs. */
async function storeRuns(runs: readonly string[]): Promise<ObjectStore> {
  const store = await createStore();
  for (const [index, run_id] of runs.entries()) {
    const version = `1.0.${runs.indexOf(run_id)}`;
    const promotion: Promotion = { ...promotionBy(decisionOf({ round: "r" }, index)), run_id, version };
    await writeDocument(store, { bucket, key: keys.history("", index + 1) }, promotion);
  }
  return store;
}

/** The store, and how many reads of it are under way at most. */
function counting(store: ObjectStore) {
  const reads = { all: 0, now: 0, most: 0 };
  const get: ObjectStore["get"] = async (ref) => {
    reads.all += 1;
    reads.now += 1;
    reads.most = Math.max(reads.most, reads.now);
    await Promise.resolve();
    const stored = await store.get(ref);
    reads.now -= 1;
    return stored;
  };
  return { reads, store: { ...store, get } };
}

test("promotions come the latest first, up to an epoch, and no more than were asked for", async () => {
  const history = createHistory(await storeRuns(["a", "b", "c", "d"]), bucket);
  const epochs = async (epoch: number, limit?: number) =>
    (await history.upTo("", epoch, limit)).map((one) => one.epoch);
  expect(await epochs(4)).toEqual([4, 3, 2, 1]);
  expect(await epochs(3, 2)).toEqual([3, 2]);
  expect(await epochs(0)).toEqual([]);
  expect((await history.last(""))?.epoch).toBe(4);
});

test("a long history is read sixteen entries at a time", async () => {
  const { reads, store } = counting(
    await storeRuns(Array.from({ length: 100 }, (_, index) => `run-${index}`)),
  );
  const promotions = await lastPromotions("", Number.POSITIVE_INFINITY, createLedger(store, bucket));
  expect(modelsOf(promotions)).toHaveLength(100);
  expect(reads.most).toBe(16);
});

test("the version of a run is the one it was first given, as far as the history goes that is asked about", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<string>("a", "b", "c"), { minLength: 1, maxLength: 12 }),
      fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.nat({ max: 12 })), { minLength: 1 }),
      async (runs, questions) => {
        const history = createHistory(await storeRuns(runs), bucket);
        for (const [run, asked] of questions) {
          const epoch = Math.min(asked, runs.length);
          const first = runs.slice(0, epoch).indexOf(run);
          expect(await history.versionOf("", run, epoch)).toBe(first < 0 ? null : `1.0.${first}`);
        }
      },
    ),
    { numRuns: 50 },
  );
});

test("no entry is read twice to find versions", async () => {
  const { reads, store } = counting(await storeRuns(["a", "b", "c"]));
  const history = createHistory(store, bucket);
  await history.versionOf("", "a", 2);
  await history.versionOf("", "b", 3);
  await history.versionOf("", "none", 3);
  expect(reads.all).toBe(3);
});

test("a run that the gate promotes again keeps its version, and the next new one gets a higher one", async () => {
  const store = await createStore();
  const ledger = createLedger(store, bucket);
  await ledger.promote(decisionOf({ round: "a" }, 0));
  await ledger.promote(decisionOf({ round: "b" }, 1));
  const { scoreboard, winner } = decisionOf({ round: "a" }, 0);
  const again = await ledger.promote({ ...decisionOf({ round: "c" }, 2), scoreboard, winner });
  expect(again).toMatchObject({ epoch: 3, run_id: winner, version: "1.0.0", highest_version: "1.0.1" });
  expect(await createLedger(store, bucket).promote(decisionOf({ round: "d" }, 3))).toMatchObject({
    version: "1.0.2",
  });
  expect((await ledger.head(""))?.epoch).toBe(4);
  await expectLinear(store, "", { repeats: true });
});
