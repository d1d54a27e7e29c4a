import { FltsError } from "@flts/common/contracts/errors";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { collect } from "@flts/testing/contract/collect";
import { withFaults } from "@flts/testing/faults";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryStore } from "@flts/testing/memory-store";
import { expect, it } from "vitest";
import { createKeptForecasts } from "../../src/live/kept-forecasts.ts";
import { scoreTruth } from "../../src/live/live-error.ts";
import { watchLive } from "../../src/live/live-watch.ts";
import { recordingLog } from "../fakes.ts";
import { forecastAfter, tableFrom } from "./lines.ts";

const bucket = "inference-logs";
const DAY_MS = 24 * 60 * 60 * 1000;

async function createWorld() {
  const clock = createManualClock();
  const store = withFaults<ObjectStore>(createMemoryStore({ clock }));
  await store.port.ensureBucket(bucket);
  const kept = createKeptForecasts(store.port, bucket);
  const seen: string[] = [];
  const { log, events } = recordingLog();
  const watch = watchLive({
    store: store.port,
    clock,
    log,
    bucket,
    everyMs: 1_000,
    onLive: ({ identifier, table }) => seen.push(`${identifier} ${table}`),
  });
  const bring = (identifier: string, digest: string) =>
    scoreTruth(
      { identifier, table: tableFrom(0, [1]), digest, drift: {} },
      { store: store.port, bucket, clock, kept, windowRows: 10 },
    );
  return { clock, store, kept, watch, bring, seen, events };
}

it("tells of every station once, and again when something came of it", async () => {
  const { clock, watch, bring, seen } = await createWorld();
  await bring("", "one");
  await bring("ElBorn", "one");
  await clock.advance(5_000);
  expect(seen).toEqual(["ElBorn one", "default one"]);
  await bring("", "two");
  await clock.advance(5_000);
  expect(seen.slice(2)).toEqual(["default two"]);
  await watch.stop();
});

it("looks again after the store was away", async () => {
  const { clock, store, watch, bring, seen, events } = await createWorld();
  await bring("", "one");
  store.failNext("get", new FltsError("STORE_UNAVAILABLE", "refused"));
  await clock.advance(5_000);
  expect([seen, events()]).toEqual([["default one"], ["live_error_fail"]]);
  await watch.stop();
});

it("removes forecasts that no truth has met for longer than messages are kept, and old notes of batches", async () => {
  const { clock, store, kept, watch } = await createWorld();
  const left = async () => (await collect(store.port.list(bucket, "_"))).length;
  await kept.keep("", "never-met", [forecastAfter(0, [1])]);
  await store.port.put(
    { bucket, key: keys.batchForecast("", "run-1", "0123456789abcdef") },
    Buffer.from("{}"),
  );
  await clock.advance(7 * DAY_MS);
  expect(await left()).toBe(2);
  await clock.advance(DAY_MS + 2 * 60 * 60 * 1000);
  expect(await left()).toBe(0);
  await watch.stop();
});
