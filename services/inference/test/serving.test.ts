import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FltsError } from "@flts/common/contracts/errors";
import { modelSelected } from "@flts/common/contracts/events";
import type { Promotion } from "@flts/common/contracts/promotion";
import { emit } from "@flts/common/contracts/topic";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { loadConfig } from "@flts/common/service/config";
import { toMessage } from "@flts/common/stage/runner";
import { withFaults } from "@flts/testing/faults";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryLog } from "@flts/testing/memory-log";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { afterEach, beforeEach, expect, it } from "vitest";
import { inferenceSettings } from "../src/config.ts";
import { type Serving, startServing } from "../src/serving.ts";
import { quietLog, writeHead } from "./fakes.ts";
import { createStation, openHere, promoteLinear, storeTestTable } from "./station.ts";

const station = createStation();
const MANY = 1_000;
let cacheDir = "";
const running: Serving[] = [];

beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "flts-serving-"));
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((serving) => serving.stop()));
  await rm(cacheDir, { recursive: true, force: true });
});

async function stop(serving: Serving): Promise<void> {
  running.splice(running.indexOf(serving), 1);
  await serving.stop();
}

/** A world that outlives replicas. */
function createWorld() {
  const clock = createManualClock();
  const store = withFaults<ObjectStore>(createMemoryStore());
  const tracker = withFaults<RunTracker>(createMemoryTracker());
  const messageLog = withFaults(createMemoryLog({ clock }));
  const startReplica = (): Serving => {
    const serving = startServing({
      messageLog: messageLog.port,
      store: store.port,
      tracker: tracker.port,
      clock,
      random: createSeededRandom(1),
      log: quietLog(),
      config: loadConfig(inferenceSettings, {}),
      group: "inference-promotions-a",
      cacheDir,
      open: openHere,
      report: () => {},
      onSwitch: () => {},
      onFailure: () => {},
    });
    running.push(serving);
    return serving;
  };
  const promote = async (epoch: number): Promise<Promotion> => {
    const promotion = await promoteLinear(station, tracker.port, epoch);
    await writeHead(store.port, promotion);
    return promotion;
  };
  const everythingDown = (): void => {
    const down = new FltsError("STORE_UNAVAILABLE", "refused");
    for (const operation of ["head", "get", "stream"] as const) store.failNext(operation, down, MANY);
    tracker.failNext("getArtifact", new FltsError("TRACKER_UNAVAILABLE", "refused"), MANY);
    messageLog.failNext("consume", new FltsError("LOG_UNAVAILABLE", "refused"), MANY);
  };
  /** Asks for the epoch that a replica serves, again and again: loading a model takes real time. */
  const epochOf = (serving: Serving) => async (): Promise<number | undefined> => {
    await clock.advance(10);
    return serving.stations.own.slot.current()?.promotion.epoch;
  };
  return { clock, store, tracker, messageLog, startReplica, promote, everythingDown, epochOf };
}

it("starts without a model, and serves the first one when its promotion comes", async () => {
  const { clock, store, messageLog, startReplica, promote, epochOf } = createWorld();
  const serving = startReplica();
  await clock.advance(0);
  expect([serving.stations.own.slot.current(), serving.health()]).toEqual([null, { log: true, store: true }]);
  await storeTestTable(store.port, station);
  const promotion = await promote(1);
  await messageLog.port.publish([toMessage(emit(modelSelected, promotion))]);
  await expect.poll(epochOf(serving)).toBe(1);
  await expect.poll(() => serving.frame.current()?.columns).toContain("down");
});

it("serves the last good model after a restart with store, tracker and log down", async () => {
  const { startReplica, promote, everythingDown, epochOf } = createWorld();
  await promote(1);
  const first = startReplica();
  await expect.poll(epochOf(first)).toBe(1);
  await stop(first);
  everythingDown();
  const second = startReplica();
  await expect.poll(epochOf(second)).toBe(1);
  expect(second.health()).toEqual({ log: false, store: false });
});

it("keeps serving when a promoted run is broken, and after a restart too, until it is mended", async () => {
  const { clock, tracker, startReplica, promote, epochOf } = createWorld();
  await promote(1);
  const first = startReplica();
  await expect.poll(epochOf(first)).toBe(1);
  const broken = await promote(2);
  const model = await tracker.port.getArtifact(broken.run_id, "LINEAR/model.onnx");
  await tracker.port.putArtifact(broken.run_id, "LINEAR/model.onnx", Buffer.from("rot"));
  await clock.advance(5_000);
  await expect.poll(epochOf(first)).toBe(1);
  await stop(first);
  const second = startReplica();
  await expect.poll(epochOf(second)).toBe(1);
  await tracker.port.putArtifact(broken.run_id, "LINEAR/model.onnx", model ?? new Uint8Array());
  await clock.advance(60_000);
  await expect.poll(epochOf(second)).toBe(2);
});

it("loads what the head names when it is told to reload", async () => {
  const { clock, startReplica, promote } = createWorld();
  const serving = startReplica();
  await clock.advance(0);
  await promote(1);
  await serving.stations.own.reload();
  expect(serving.stations.own.slot.current()?.promotion.epoch).toBe(1);
});
