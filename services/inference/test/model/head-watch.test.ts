import { writeDocument } from "@flts/common/claim-check/documents";
import { FltsError } from "@flts/common/contracts/errors";
import { withFaults } from "@flts/testing/faults";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryStore } from "@flts/testing/memory-store";
import { afterEach, expect, it } from "vitest";
import { type HeadWatch, watchHead } from "../../src/model/head-watch.ts";
import { readPromotions } from "../../src/model/promotions.ts";
import { promotionOf, recordingLog, writeHead } from "../fakes.ts";

const POLL_MS = 1_000;
const headRef = { bucket: "model-promotion", key: "global/current.json" };
const watches: HeadWatch[] = [];
afterEach(() => Promise.all(watches.splice(0).map((watch) => watch.stop())));

function createHarness() {
  const clock = createManualClock();
  const store = withFaults(createMemoryStore());
  const { log, events } = recordingLog();
  const heard: number[] = [];
  let unreachable = 0;
  const start = (): HeadWatch => {
    const watch = watchHead({
      store: store.port,
      promotions: readPromotions(store.port, "model-promotion", ""),
      clock,
      log,
      identifier: "",
      bucket: "model-promotion",
      pollMs: POLL_MS,
      onPromotion: ({ epoch }) => void heard.push(epoch),
      onUnreachable: () => {
        unreachable += 1;
      },
    });
    watches.push(watch);
    return watch;
  };
  const promote = (epoch: number): Promise<void> => writeHead(store.port, promotionOf(epoch));
  const settled = (): Promise<void> => clock.advance(0);
  return { clock, store, events, heard, start, promote, settled, unreachable: () => unreachable };
}

it("reads the head that is there at the start, once", async () => {
  const { clock, heard, start, promote } = createHarness();
  await promote(3);
  const watch = start();
  await clock.advance(10 * POLL_MS);
  expect([heard, await watch.first]).toEqual([[3], "present"]);
});

it("looks at once when it is woken, also while it looks", async () => {
  const { heard, start, promote, settled } = createHarness();
  const watch = start();
  watch.wake();
  await settled();
  await promote(1);
  watch.wake();
  await settled();
  expect([heard, await watch.first]).toEqual([[1], "absent"]);
});

it("notices within an interval a promotion that nobody told it of", async () => {
  const { clock, heard, start, promote, settled } = createHarness();
  start();
  await settled();
  await promote(1);
  await clock.advance(POLL_MS);
  expect(heard).toEqual([1]);
});

it("outlives a store that is down, says so once, and reads the head when it is back", async () => {
  const { clock, store, heard, events, start, promote, unreachable } = createHarness();
  await promote(1);
  store.failNext("head", new FltsError("STORE_UNAVAILABLE", "refused"), 4);
  const watch = start();
  expect([await watch.first, watch.isReachable()]).toEqual(["unreachable", false]);
  await clock.advance(10 * POLL_MS);
  expect([heard, watch.isReachable(), unreachable()]).toEqual([[1], true, 4]);
  expect(events().filter((event) => event === "promotion_pointer_fetch_fail")).toHaveLength(1);
});

it.each([
  ["a pointer of another system", { run_id: "x" }],
  ["a promotion that is in no history", promotionOf(2)],
  ["a promotion under the number of another one", promotionOf(1, { promotion_id: "mine" })],
  ["a promotion of another station", promotionOf(1, { identifier: "North" })],
])("never serves what was laid by hand, %s, before it was adopted", async (_name, laid) => {
  const { clock, store, heard, events, start, promote } = createHarness();
  await promote(1);
  start();
  await clock.advance(POLL_MS);
  await writeDocument(store.port, headRef, laid);
  await clock.advance(3 * POLL_MS);
  expect(events().filter((event) => event === "promotion_pointer_fetch_fail")).toHaveLength(1);
  await promote(3);
  await clock.advance(POLL_MS);
  expect(heard).toEqual([1, 1, 3]);
});

it("takes the history's last entry for the champion while something else lies in the head's place", async () => {
  const { store, heard, start, promote } = createHarness();
  for (const epoch of [1, 2]) await promote(epoch);
  await writeDocument(store.port, headRef, promotionOf(9));
  expect([await start().first, heard]).toEqual(["present", [2]]);
});

it("has no champion while all that there is was laid by hand", async () => {
  const { store, heard, start } = createHarness();
  await store.port.ensureBucket("model-promotion");
  await writeDocument(store.port, headRef, promotionOf(1));
  expect([await start().first, heard]).toEqual(["present", []]);
});

it("says once that nothing was promoted yet", async () => {
  const { clock, events, start } = createHarness();
  start();
  await clock.advance(5 * POLL_MS);
  expect(events().filter((event) => event === "promotion_manifest_absent")).toHaveLength(1);
});

it("looks at the head when asked to, and says what it found", async () => {
  const { heard, start, promote } = createHarness();
  const watch = start();
  expect(await watch.refresh()).toBe("absent");
  await promote(1);
  expect([await watch.refresh(), heard]).toEqual(["present", [1]]);
});
