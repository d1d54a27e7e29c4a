import { FltsError } from "@flts/common/contracts/errors";
import { inferenceData, performanceEval } from "@flts/common/contracts/events";
import { keys } from "@flts/common/contracts/layout";
import { emit, parseEvent } from "@flts/common/contracts/topic";
import type { MessageLog } from "@flts/common/ports/message-log";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { loadConfig } from "@flts/common/service/config";
import { createMetrics } from "@flts/common/service/metrics";
import { deadLetterTopic } from "@flts/common/stage/dead-letter";
import { type AttemptReport, toMessage } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import type { Table } from "@flts/forecasting/table/table";
import { withFaults } from "@flts/testing/faults";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryLog } from "@flts/testing/memory-log";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { afterEach, expect } from "vitest";
import { batchSettings } from "../../src/batch/config.ts";
import { startBatches } from "../../src/batch/start-batches.ts";
import { inferenceSettings } from "../../src/config.ts";
import type { KeptStage } from "../../src/keep-stage.ts";
import { createKeptForecasts } from "../../src/live/kept-forecasts.ts";
import { createLiveMetrics } from "../../src/live/live-metrics.ts";
import { createModelSlot } from "../../src/model/model-slot.ts";
import { constantModel, openAdmission, promotionOf, recordingLog } from "../fakes.ts";
import { storeBytes, storeTable, tableFrom } from "../live/lines.ts";

export const bucket = "inference-logs";
const running: KeptStage[] = [];
afterEach(() => Promise.all(running.splice(0).map((stage) => stage.stop())));

/** A world that outlives replicas. */
export async function createWorld() {
  const clock = createManualClock();
  const store = failingLater(createMemoryStore({ clock }));
  const messageLog = withFaults<MessageLog>(createMemoryLog({ clock }));
  await messageLog.port.ensureTopics(pipelineTopics(4));
  const attempts: AttemptReport[] = [];

  function startReplica({
    epoch = 1,
    environment = {},
  }: {
    epoch?: number;
    environment?: Record<string, string>;
  } = {}) {
    const { log, events } = recordingLog();
    const { registry } = createMetrics("inference");
    const slot = createModelSlot(log);
    if (epoch > 0) slot.switchTo({ promotion: promotionOf(epoch), model: constantModel(42) });
    const stage = startBatches({
      store: store.port,
      clock,
      random: createSeededRandom(1),
      log,
      messageLog: messageLog.port,
      config: loadConfig({ ...inferenceSettings, ...batchSettings }, environment),
      replica: "inference-0",
      borrow: () => slot.borrow(),
      admission: openAdmission(clock),
      kept: createKeptForecasts(store.port, bucket),
      report: (attempt) => attempts.push(attempt),
      metrics: createLiveMetrics(registry),
    });
    running.push(stage);
    const stop = async (): Promise<void> => {
      running.splice(running.indexOf(stage), 1);
      await stage.stop();
    };
    const metric = async (name: string) =>
      (await registry.getSingleMetric(name)?.get())?.values.map(({ labels, value }) => ({
        ...labels,
        value,
      }));
    return { slot, stop, events, metric, isAlive: stage.isAlive };
  }

  const claim = async (table: Table, headers: Record<string, string> = {}, identifier = "") =>
    publish(await storeTable(store.port, table, identifier), headers);
  const publish = (event: Awaited<ReturnType<typeof storeBytes>>, headers: Record<string, string> = {}) =>
    messageLog.port.publish([{ ...toMessage(emit(inferenceData, event)), headers }]);
  const browse = async (topic: string) => {
    const values: Uint8Array[] = [];
    for await (const { value } of messageLog.port.browse(topic)) values.push(value);
    return values;
  };
  const told = async () =>
    (await browse(performanceEval.name)).map((value) => parseEvent(performanceEval, value));
  const deadLetters = async () =>
    (await browse(deadLetterTopic(inferenceData.name))).map(
      (value) => (JSON.parse(new TextDecoder().decode(value)) as { code: string }).code,
    );
  const partsOf = async (identifier = "") => {
    const found: string[] = [];
    for await (const { key } of store.port.list(bucket, keys.inferenceLogDay(identifier, "20260101")))
      found.push(key);
    return found;
  };
  const linesIn = async (key: string) => {
    const stored = await store.port.get({ bucket, key });
    const lines = new TextDecoder().decode(stored?.bytes).split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line) as unknown);
  };
  /** Waits until so many messages are settled, letting time pass. */
  const settled = (count: number) =>
    expect
      .poll(async () => {
        await clock.advance(50);
        return attempts.filter(({ verdict }) => verdict.kind !== "retry").length;
      })
      .toBe(count);
  return {
    clock,
    store,
    messageLog,
    attempts,
    startReplica,
    claim,
    publish,
    told,
    deadLetters,
    partsOf,
    linesIn,
    settled,
  };
}

/** A store that is away for one call, some calls from now. */
function failingLater(real: ObjectStore) {
  const { port, failNext } = withFaults(real);
  let plan: { operation: "put" | "get" | "head"; calls: number } | null = null;
  const watched = new Proxy(port, {
    get: (target, name, receiver) => {
      if (name === plan?.operation && plan.calls-- === 0)
        failNext(plan.operation, new FltsError("STORE_UNAVAILABLE", "refused"));
      return Reflect.get(target, name, receiver) as unknown;
    },
  });
  const failLater = (operation: "put" | "get" | "head", calls: number): void => {
    plan = { operation, calls };
  };
  return { port: watched, failLater };
}

export const table = tableFrom(0, [40, 41, 42, 43, 44]);
