import { FltsError } from "@flts/common/contracts/errors";
import type { Promotion } from "@flts/common/contracts/promotion";
import { createManualClock } from "@flts/testing/manual-clock";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { expect, it } from "vitest";
import { createModelSlot } from "../../src/model/model-slot.ts";
import { createPursuit } from "../../src/model/pursuit.ts";
import type { ServableModel } from "../../src/model/servable-model.ts";
import { constantModel, type FakeModel, promotionOf, recordingLog } from "../fakes.ts";

/** A pursuit whose loads end when, and as, the test says. */
function createHarness(remembered: Promotion | null = null, history: readonly Promotion[] = []) {
  const clock = createManualClock();
  const { log, events } = recordingLog();
  const slot = createModelSlot(log);
  const loads: { epoch: number; end: PromiseWithResolvers<ServableModel> }[] = [];
  const memory = { remembered };
  const failures: number[] = [];
  const pursuit = createPursuit({
    slot,
    clock,
    random: createSeededRandom(1),
    log,
    load: ({ epoch }) => {
      const end = Promise.withResolvers<ServableModel>();
      loads.push({ epoch, end });
      return end.promise;
    },
    memory: {
      recall: async () => memory.remembered,
      remember: async (promotion) => {
        memory.remembered = promotion;
      },
    },
    async *before({ epoch }) {
      yield* history.filter((one) => one.epoch < epoch).toReversed();
    },
    onSwitch: () => {},
    onFailure: ({ epoch }) => void failures.push(epoch),
  });
  const serving = (): number | null => slot.current()?.promotion.epoch ?? null;
  /** Ends the latest load of an epoch. */
  const loaded = (epoch: number, model: FakeModel = constantModel(epoch)): FakeModel => {
    loads.findLast((load) => load.epoch === epoch)?.end.resolve(model);
    return model;
  };
  const failed = (epoch: number, error: Error = new Error("broken")): void =>
    loads.findLast((load) => load.epoch === epoch)?.end.reject(error);
  return { clock, events, slot, loads, memory, failures, pursuit, serving, loaded, failed };
}

it("serves a promotion when its model was loaded, and remembers it", async () => {
  const { pursuit, serving, loaded, memory } = createHarness();
  const pursued = pursuit.pursue(promotionOf(1));
  expect(serving()).toBeNull();
  loaded(1);
  await pursued;
  expect([serving(), memory.remembered?.epoch]).toEqual([1, 1]);
});

it("keeps the champion when a candidate is broken, says so, and tries again until it is not", async () => {
  const { clock, events, pursuit, serving, loaded, failed, failures, loads } = createHarness();
  const first = pursuit.pursue(promotionOf(1));
  loaded(1);
  await first;

  const second = pursuit.pursue(promotionOf(2));
  failed(2);
  await second;
  expect([serving(), failures]).toEqual([1, [2]]);
  expect(events()).toContain("promotion_model_load_fail");

  await clock.advance(100);
  failed(2);
  await clock.advance(50);
  expect(loads.filter(({ epoch }) => epoch === 2)).toHaveLength(2);
  await clock.advance(150);
  loaded(2);
  await clock.advance(0);
  expect(serving()).toBe(2);
});

it("lets a newer promotion overtake an older one on its way", async () => {
  const { pursuit, serving, loaded } = createHarness();
  const older = pursuit.pursue(promotionOf(1));
  const newer = pursuit.pursue(promotionOf(2));
  loaded(2);
  await newer;
  const late = loaded(1);
  await older;
  expect([serving(), late.closed]).toEqual([2, true]);
});

it("stops trying a broken candidate when a newer one comes", async () => {
  const { clock, pursuit, loads, loaded, failed } = createHarness();
  const older = pursuit.pursue(promotionOf(1));
  failed(1);
  await older;
  const newer = pursuit.pursue(promotionOf(2));
  loaded(2);
  await newer;
  await clock.advance(600_000);
  expect(loads.map(({ epoch }) => epoch)).toEqual([1, 2]);
});

it("loads a promotion once, however often it is heard of", async () => {
  const { pursuit, loads, loaded } = createHarness();
  const calls = [pursuit.pursue(promotionOf(1)), pursuit.pursue(promotionOf(1))];
  loaded(1);
  await Promise.all(calls);
  await pursuit.pursue(promotionOf(1));
  expect(loads).toHaveLength(1);
});

it("serves what it served last while the promoted model cannot be had", async () => {
  const { clock, pursuit, serving, loaded, failed } = createHarness(promotionOf(1));
  const pursued = pursuit.pursue(promotionOf(2));
  failed(2);
  await clock.advance(0);
  loaded(1);
  await pursued;
  expect(serving()).toBe(1);
  await clock.advance(100);
  loaded(2);
  await clock.advance(0);
  expect(serving()).toBe(2);
});

it("does not put back what it served last when a champion came first", async () => {
  const { pursuit, serving, loaded } = createHarness(promotionOf(1));
  const restored = pursuit.restore();
  const pursued = pursuit.pursue(promotionOf(2));
  loaded(2);
  await pursued;
  const late = loaded(1);
  await restored;
  expect([serving(), late.closed]).toEqual([2, true]);
});

it("keeps a restored model when the head names the same promotion", async () => {
  const { pursuit, serving, loads, loaded } = createHarness(promotionOf(1));
  const restored = pursuit.restore();
  await Promise.resolve();
  loaded(1);
  await restored;
  await pursuit.pursue(promotionOf(1));
  expect([serving(), loads.length]).toEqual([1, 1]);
});

it("has nothing to restore at the very first start", async () => {
  const { pursuit, serving, loads } = createHarness();
  await pursuit.restore();
  expect([serving(), loads]).toEqual([null, []]);
});

const gone = new FltsError("RUN_MISSING", "gone");
const three = [1, 2, 3].map((epoch) => promotionOf(epoch));

it("serves the latest earlier promotion that loads while the promoted one is lost, says so, and catches up when it is back", async () => {
  const { clock, events, pursuit, serving, loaded, failed, memory } = createHarness(null, three);
  const pursued = pursuit.pursue(promotionOf(3));
  failed(3, gone);
  await clock.advance(0);
  failed(2, new FltsError("ARTIFACT_INVALID", "other bytes"));
  await clock.advance(0);
  loaded(1);
  await pursued;
  expect([serving(), pursuit.isBehind(), memory.remembered]).toEqual([1, true, null]);
  expect(events()).toContain("promotion_step_back");
  await clock.advance(100);
  loaded(3);
  await clock.advance(0);
  expect([serving(), pursuit.isBehind()]).toEqual([3, false]);
});

it("goes over to a newer promotion from the one that it stepped back to", async () => {
  const { clock, pursuit, serving, loaded, failed } = createHarness(null, three);
  const pursued = pursuit.pursue(promotionOf(3));
  failed(3, gone);
  await clock.advance(0);
  loaded(2);
  await pursued;
  const newer = pursuit.pursue(promotionOf(4));
  loaded(4);
  await newer;
  expect([serving(), pursuit.isBehind()]).toEqual([4, false]);
});

it("keeps what it serves when that is as late as any that could come in a lost one's place", async () => {
  const { clock, pursuit, serving, loaded, failed, loads } = createHarness(null, three);
  const first = pursuit.pursue(promotionOf(2));
  loaded(2);
  await first;
  const pursued = pursuit.pursue(promotionOf(3));
  failed(3, gone);
  await pursued;
  await clock.advance(0);
  expect([serving(), pursuit.isBehind()]).toEqual([2, true]);
  expect(loads.map(({ epoch }) => epoch)).toEqual([2, 3]);
});

it("does not step back because the tracker is away: nobody knows then what is lost", async () => {
  const { clock, pursuit, serving, failed, loads } = createHarness(null, three);
  const pursued = pursuit.pursue(promotionOf(3));
  failed(3, new FltsError("TRACKER_UNAVAILABLE", "away"));
  await pursued;
  await clock.advance(0);
  expect([serving(), loads.length]).toEqual([null, 1]);
});

it("tries each run once on its way back", async () => {
  const history = [promotionOf(1), promotionOf(2, { run_id: "run-3" })];
  const { clock, pursuit, serving, loaded, failed, loads } = createHarness(null, history);
  const pursued = pursuit.pursue(promotionOf(3));
  failed(3, gone);
  await clock.advance(0);
  loaded(1);
  await pursued;
  expect([serving(), loads.map(({ epoch }) => epoch)]).toEqual([1, [3, 1]]);
});

it("closes what was still loading when it is stopped", async () => {
  const { pursuit, serving, loaded } = createHarness();
  void pursuit.pursue(promotionOf(1));
  const stopped = pursuit.stop();
  const late = loaded(1);
  await stopped;
  expect([serving(), late.closed]).toEqual([null, true]);
});
