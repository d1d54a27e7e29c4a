import { FltsError } from "@flts/common/contracts/errors";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { columnOf, rowCount } from "@flts/forecasting/table/table";
import { withFaults } from "@flts/testing/faults";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { afterEach, expect, it } from "vitest";
import { createCachedFrame } from "../src/cached-frame.ts";
import { recordingLog } from "./fakes.ts";
import { createStation, storeTestTable } from "./station.ts";

const station = createStation();
const stops: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(stops.splice(0).map((stop) => stop())));

function createHarness() {
  const clock = createManualClock();
  const store = withFaults<ObjectStore>(createMemoryStore());
  const { log, events } = recordingLog();
  const frame = createCachedFrame({
    store: store.port,
    clock,
    random: createSeededRandom(1),
    log,
    bucket: "processed-data",
    identifier: "",
    objectName: "test_processed_data.parquet",
    maxBytes: 10 ** 7,
  });
  stops.push(frame.stop);
  const loaded = (): Promise<void> =>
    expect.poll(async () => (await clock.advance(0), frame.current())).not.toBeNull();
  return { clock, store, events, frame, loaded };
}

it("holds the station's processed test table in raw units", async () => {
  const { store, frame, loaded } = createHarness();
  await storeTestTable(store.port, station);
  frame.refresh();
  await loaded();
  const table = frame.current();
  expect(table && rowCount(table)).toBe(rowCount(station.testRaw));
  const expected = columnOf(station.testRaw, "down");
  const actual = table ? columnOf(table, "down") : new Float64Array();
  for (const [row, value] of actual.entries()) expect(value / (expected[row] ?? 0)).toBeCloseTo(1, 9);
});

it("waits for a table that is not there yet, and says so once", async () => {
  const { clock, store, events, frame, loaded } = createHarness();
  frame.refresh();
  await clock.advance(5_000);
  expect([frame.current(), events()]).toEqual([null, ["preload_test_fail"]]);
  await storeTestTable(store.port, station);
  await clock.advance(30_000);
  await loaded();
});

it("refuses a table with other bytes than its head says", async () => {
  const { clock, store, events, frame } = createHarness();
  const object = await storeTestTable(store.port, station);
  await store.port.put({ bucket: "processed-data", key: object }, Buffer.from("other bytes"));
  frame.refresh();
  await clock.advance(1_000);
  expect([frame.current(), events()]).toEqual([null, ["preload_test_fail"]]);
});

it("keeps the table it has while the store is down", async () => {
  const { clock, store, frame, loaded } = createHarness();
  await storeTestTable(store.port, station);
  frame.refresh();
  await loaded();
  const before = frame.current();
  store.failNext("get", new FltsError("STORE_UNAVAILABLE", "refused"), 100);
  frame.refresh();
  await clock.advance(1_000);
  expect(frame.current()).toBe(before);
});
