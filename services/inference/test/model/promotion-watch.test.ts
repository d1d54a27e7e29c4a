import { FltsError } from "@flts/common/contracts/errors";
import { modelSelected } from "@flts/common/contracts/events";
import { emit } from "@flts/common/contracts/topic";
import { toMessage } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import { withFaults } from "@flts/testing/faults";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryLog } from "@flts/testing/memory-log";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { afterEach, expect, it } from "vitest";
import { type PromotionWatch, watchPromotions } from "../../src/model/promotion-watch.ts";
import { promotionOf, recordingLog, writeHead } from "../fakes.ts";

const POLL_MS = 1_000;
const watches: PromotionWatch[] = [];
afterEach(() => Promise.all(watches.splice(0).map((watch) => watch.stop())));

function createHarness() {
  const clock = createManualClock();
  const store = withFaults(createMemoryStore());
  const memoryLog = createMemoryLog({ clock });
  const log = withFaults(memoryLog);
  const { log: logger, events } = recordingLog();
  const heard: number[] = [];
  let unreachable = 0;
  const start = (group = "inference-promotions-a"): PromotionWatch => {
    const watch = watchPromotions({
      log: log.port,
      store: store.port,
      clock,
      random: createSeededRandom(1),
      logger,
      identifier: "",
      bucket: "model-promotion",
      topic: modelSelected.name,
      group,
      pollMs: POLL_MS,
      ensureTopics: () => memoryLog.ensureTopics(pipelineTopics(1)),
      report: () => {},
      onPromotion: ({ epoch }) => void heard.push(epoch),
      onUnreachable: () => {
        unreachable += 1;
      },
    });
    watches.push(watch);
    return watch;
  };
  const publish = (epoch: number): Promise<void> =>
    memoryLog.publish([toMessage(emit(modelSelected, promotionOf(epoch)))]);
  const promote = (epoch: number): Promise<void> => writeHead(store.port, promotionOf(epoch));
  const settled = (): Promise<void> => clock.advance(0);
  return {
    clock,
    store,
    log,
    memoryLog,
    events,
    heard,
    start,
    publish,
    promote,
    settled,
    unreachable: () => unreachable,
  };
}

it("reads the head that is there at the start, once", async () => {
  const { clock, heard, start, promote } = createHarness();
  await promote(3);
  start();
  await clock.advance(10 * POLL_MS);
  expect(heard).toEqual([3]);
});

it("hears of a promotion at once by its event", async () => {
  const { heard, start, promote, publish, settled } = createHarness();
  start();
  await settled();
  await promote(1);
  await publish(1);
  await settled();
  expect(heard).toEqual([1]);
});

it("notices within an interval a promotion whose event was lost", async () => {
  const { clock, heard, start, promote, settled } = createHarness();
  start();
  await settled();
  await promote(1);
  await clock.advance(POLL_MS);
  expect(heard).toEqual([1]);
});

it("believes the head and not the event", async () => {
  const { heard, start, promote, publish, settled } = createHarness();
  await promote(5);
  start();
  await settled();
  await publish(4);
  await publish(9);
  await settled();
  expect(heard).toEqual([5]);
});

it("lets every replica hear every promotion", async () => {
  const { heard, start, promote, publish, settled } = createHarness();
  start("inference-promotions-a");
  start("inference-promotions-b");
  await settled();
  await promote(1);
  await publish(1);
  await settled();
  expect(heard).toEqual([1, 1]);
});

it("follows the head while the log is down, and joins when it is back", async () => {
  const { clock, heard, log, start, promote, publish, settled } = createHarness();
  log.failNext("consume", new FltsError("LOG_UNAVAILABLE", "no broker"), 3);
  await promote(1);
  const watch = start();
  await settled();
  expect([heard, watch.health()]).toEqual([[1], { log: false, store: true }]);
  await clock.advance(POLL_MS);
  expect(watch.health().log).toBe(true);
  await promote(2);
  await publish(2);
  await settled();
  expect(heard).toEqual([1, 2]);
});

it("reads the head once more when it has joined: what came before that, nobody tells it", async () => {
  const { clock, heard, log, start, promote, publish, settled } = createHarness();
  log.failNext("consume", new FltsError("LOG_UNAVAILABLE", "no broker"));
  start();
  await settled();
  await promote(1);
  await publish(1);
  await clock.advance(POLL_MS / 2);
  expect(heard).toEqual([1]);
});

it("outlives a store that is down, says so once, and reads the head when it is back", async () => {
  const { clock, store, heard, events, start, promote, settled, unreachable } = createHarness();
  await promote(1);
  store.failNext("head", new FltsError("STORE_UNAVAILABLE", "refused"), 4);
  const watch = start();
  await settled();
  expect(watch.health().store).toBe(false);
  await clock.advance(10 * POLL_MS);
  expect([heard, watch.health().store, unreachable()]).toEqual([[1], true, 4]);
  expect(events().filter((event) => event === "promotion_pointer_fetch_fail")).toHaveLength(1);
});

it("keeps to what it knows when the head is unreadable, until it is mended", async () => {
  const { clock, store, heard, events, start, promote } = createHarness();
  await promote(1);
  start();
  await clock.advance(POLL_MS);
  await store.port.put(
    { bucket: "model-promotion", key: "global/current.json" },
    Buffer.from('{"run_id":"x"}'),
  );
  await clock.advance(3 * POLL_MS);
  expect(events().filter((event) => event === "promotion_pointer_fetch_fail")).toHaveLength(1);
  await promote(2);
  await clock.advance(POLL_MS);
  expect(heard).toEqual([1, 2]);
});

it("says once that nothing was promoted yet", async () => {
  const { clock, events, start } = createHarness();
  start();
  await clock.advance(5 * POLL_MS);
  expect(events().filter((event) => event === "promotion_manifest_absent")).toHaveLength(1);
});

it("takes its group along when it stops", async () => {
  const { memoryLog, start, settled } = createHarness();
  const watch = start();
  await settled();
  const lag = () => memoryLog.lag("inference-promotions-a", [modelSelected.name]);
  expect((await lag())[0]?.committed).not.toBeNull();
  await watch.stop();
  expect((await lag())[0]?.committed).toBeNull();
});

it("looks at the head at once when asked to", async () => {
  const { heard, start, promote, settled } = createHarness();
  const watch = start();
  await settled();
  await promote(1);
  await watch.refresh();
  expect(heard).toEqual([1]);
});

it.each([0, 1, 2, 3])(
  "stops when told to %i turns after its start, while it joins its group",
  async (turns) => {
    const { start } = createHarness();
    const watch = start();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await expect(watch.stop()).resolves.toBeUndefined();
  },
);
