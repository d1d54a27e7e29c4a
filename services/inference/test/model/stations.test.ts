import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FltsError } from "@flts/common/contracts/errors";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { withFaults } from "@flts/testing/faults";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createStations, type Stations } from "../../src/model/stations.ts";
import { quietLog, writeHead } from "../fakes.ts";
import { createStation, openHere, promoteLinear } from "../station.ts";

const measurements = createStation();
const running: Stations[] = [];
let cacheDir = "";
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "flts-stations-"));
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((stations) => stations.stop()));
  await rm(cacheDir, { recursive: true, force: true });
});

const tracker = withFaults<RunTracker>(createMemoryTracker());
const trained = await promoteLinear(measurements, tracker.port, 1);

async function createHarness({ maxBytes = 2 ** 40, own = "" } = {}) {
  const clock = createManualClock();
  const store = withFaults<ObjectStore>(createMemoryStore());
  let opened = 0;
  const start = (): Stations => {
    const stations = createStations({
      store: store.port,
      tracker: tracker.port,
      clock,
      random: createSeededRandom(1),
      log: quietLog(),
      identifier: own,
      bucket: "model-promotion",
      pollMs: 1_000,
      cacheDir,
      maxBytes,
      open: (artifact) => {
        opened += 1;
        return openHere(artifact);
      },
      onPromotion: () => {},
      onSwitch: () => {},
      onFailure: () => {},
    });
    running.push(stations);
    return stations;
  };
  /** All stations' champions are one run: training is not what is tested here. */
  const promote = async (identifier: string, epoch = 1): Promise<Promotion> => {
    const promotion = { ...trained, identifier, epoch, promotion_id: `${identifier}/${epoch}` };
    await writeHead(store.port, promotion);
    return promotion;
  };
  await promote(own);
  return { clock, store, start, promote, opened: () => opened };
}

const stationOf = async (stations: Stations, identifier: string | null): Promise<string | undefined> => {
  const loan = await stations.borrow(identifier);
  loan?.giveBack();
  return loan?.promotion.identifier;
};

it("serves its own station, by its name and by none", async () => {
  const { start } = await createHarness();
  const stations = start();
  await stations.own.opened;
  for (const identifier of [null, "", "default"]) expect(await stationOf(stations, identifier)).toBe("");
});

it("knows its own station whatever that is called, and others beside it", async () => {
  const { start, promote } = await createHarness({ own: "a" });
  await promote("");
  const stations = start();
  await stations.own.opened;
  expect([await stationOf(stations, null), await stationOf(stations, "a")]).toEqual(["a", "a"]);
  expect(await stationOf(stations, "default")).toBe("");
});

it("loads another station once, however many ask for it at first", async () => {
  const { start, promote, opened } = await createHarness();
  await promote("a");
  const stations = start();
  await stations.own.opened;
  const before = opened();
  const names = await Promise.all(Array.from({ length: 20 }, () => stationOf(stations, "a")));
  expect([new Set(names), opened() - before]).toEqual([new Set(["a"]), 1]);
});

it("says 404 of a station without a promoted model, and does not ask the store again for a while", async () => {
  const { clock, store, start, promote } = await createHarness();
  const stations = start();
  await stations.own.opened;
  const ask = () => stationOf(stations, "b");
  await expect(ask()).rejects.toMatchObject({
    refusal: { status: 404, detail: expect.stringContaining('"b"') },
  });
  await promote("b");
  store.failNext("head", new FltsError("STORE_UNAVAILABLE", "must not be asked"), 1);
  await expect(ask()).rejects.toMatchObject({ refusal: { status: 404 } });
  await clock.advance(5_000);
  expect(await ask()).toBe("b");
});

it("looks again at once when it hears of the station's promotion", async () => {
  const { start, promote } = await createHarness();
  const stations = start();
  await expect(stationOf(stations, "b")).rejects.toMatchObject({ refusal: { status: 404 } });
  await promote("b");
  stations.hint("b");
  expect(await stationOf(stations, "b")).toBe("b");
});

it("serves the epoch before, as a new replica too, when the champion's run is gone, and counts as behind", async () => {
  const { clock, store, start, promote } = await createHarness();
  await writeHead(store.port, { ...trained, epoch: 2, promotion_id: "2", run_id: "0".repeat(32) });
  const stations = start();
  await stations.own.opened;
  expect(stations.championOf(null)?.promotion.epoch).toBe(1);
  expect(stations.stats()).toMatchObject({ stations: 1, behind: 1 });
  await promote("", 3);
  await clock.advance(1_000);
  await expect.poll(() => stations.championOf(null)?.promotion.epoch).toBe(3);
  expect(stations.stats().behind).toBe(0);
});

it("follows the heads of all that it serves", async () => {
  const { clock, start, promote } = await createHarness();
  await promote("a");
  const stations = start();
  await stationOf(stations, "a");
  const epoch = async (): Promise<number | undefined> => {
    await clock.advance(0);
    return stations.championOf("a")?.promotion.epoch;
  };
  await promote("a", 2);
  stations.hint("a");
  await expect.poll(epoch).toBe(2);
  await promote("a", 3);
  await clock.advance(10_000);
  await expect.poll(epoch).toBe(3);
});

it.each(["..", "a/b", "global", "x".repeat(101)])(
  "refuses %s, which can be no station, with 400",
  async (name) => {
    const stations = (await createHarness()).start();
    await expect(stationOf(stations, name)).rejects.toMatchObject({ refusal: { status: 400 } });
  },
);

it("keeps within its budget by closing what was asked for longest ago, and never its own", async () => {
  const probe = (await createHarness()).start();
  await probe.own.opened;
  const { bytes } = probe.stats();
  const { start, promote } = await createHarness({ maxBytes: 2.5 * bytes });
  for (const name of ["a", "b", "c"]) await promote(name);
  const stations = start();
  await stations.own.opened;
  for (const name of ["a", "b", "a", "c"]) await stationOf(stations, name);
  await expect.poll(() => stations.stats()).toEqual({ stations: 3, bytes: 3 * bytes, evicted: 1, behind: 0 });
  expect(["a", "b", "c", null].map((name) => stations.championOf(name) !== null)).toEqual([
    true,
    false,
    true,
    true,
  ]);
  expect(await stationOf(stations, "b")).toBe("b");
});

it("serves a station that does not fit at all, until another is asked for", async () => {
  const { start, promote } = await createHarness({ maxBytes: 0 });
  await promote("a");
  await promote("b");
  const stations = start();
  for (const name of ["a", "b"]) expect(await stationOf(stations, name)).toBe(name);
  await expect.poll(() => stations.stats().stations).toBe(2);
});

it("serves from its cache what it served before, when the store is down", async () => {
  const { store, start, promote } = await createHarness();
  await promote("a");
  const first = start();
  await stationOf(first, "a");
  await expect.poll(() => first.championOf("a")).not.toBeNull();
  await running.pop()?.stop();
  for (const operation of ["head", "get"] as const)
    store.failNext(operation, new FltsError("STORE_UNAVAILABLE", "refused"), 1_000);
  const second = start();
  expect(await stationOf(second, "a")).toBe("a");
  expect(await stationOf(second, "never-served")).toBeUndefined();
  expect(second.stats().stations).toBe(2);
});
