import { FltsError } from "@flts/common/contracts/errors";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { withFaults } from "@flts/testing/faults";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { expect, it } from "vitest";
import { createKeptForecasts } from "../../src/live/kept-forecasts.ts";
import { createPredictionLog } from "../../src/live/prediction-log.ts";
import { createModelSlot } from "../../src/model/model-slot.ts";
import { createForecastPath } from "../../src/predict/forecast-path.ts";
import { constantModel, openAdmission, promotionOf, quietLog } from "../fakes.ts";
import { tableFrom, tsOf } from "./lines.ts";

const bucket = "inference-logs";

async function createWorld(rate: number) {
  const clock = createManualClock();
  const store = withFaults<ObjectStore>(createMemoryStore());
  await store.port.ensureBucket(bucket);
  const kept = createKeptForecasts(store.port, bucket);
  const counts = { logged: 0, dropped: 0 };
  const predictionLog = createPredictionLog({
    store: store.port,
    clock,
    random: createSeededRandom(1),
    log: quietLog(),
    bucket,
    replica: "inference-0",
    kept,
    rate,
    onLogged: (predictions) => {
      counts.logged += predictions;
    },
    onDropped: (predictions) => {
      counts.dropped += predictions;
    },
  });
  const slot = createModelSlot(quietLog());
  slot.switchTo({ promotion: promotionOf(1), model: constantModel(42) });
  const cached = { table: tableFrom(20, [1, 2, 3]), timeColumn: "time" };
  const path = createForecastPath({
    borrow: () => slot.borrow(),
    cachedFrame: () => cached,
    admission: openAdmission(clock),
    nextRequestId: () => "0123abcd",
  });
  const watched = predictionLog.watch(path, () => cached);
  const call = { identifier: null, timeoutMs: null, isPresent: () => true } as const;
  const ask = (down: readonly number[] | null = [5, 6, 7], mode: "forecast" | "backtest" = "forecast") =>
    watched(down === null ? null : () => ({ table: tableFrom(0, down), timeColumn: "ts" }), {
      ...call,
      mode,
      steps: 2,
    });
  const logged = async () => {
    const lines: string[] = [];
    for await (const { key } of store.port.list(bucket, keys.inferenceLogDay("", "20260101"))) {
      const stored = await store.port.get({ bucket, key });
      lines.push(...new TextDecoder().decode(stored?.bytes).split("\n").filter(Boolean));
    }
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { clock, store, kept, counts, predictionLog, path, watched, ask, logged };
}

it("logs an answer with its last known value, and keeps it for the truth", async () => {
  const { ask, predictionLog, logged, kept, counts } = await createWorld(1);
  await ask([5, 6, Number.NaN]);
  await predictionLog.stop();
  const expected = {
    operation: "Forecast",
    identifier: "default",
    run_id: "run-1",
    epoch: 1,
    req_id: "0123abcd",
    replica: "inference-0",
    origin: tsOf(2),
    last: { down: 6 },
    steps: [
      { ts: tsOf(3), pred: { down: 42 }, lower: { down: 41 }, upper: { down: 43 } },
      { ts: tsOf(4), pred: { down: 42 }, lower: { down: 41 }, upper: { down: 43 } },
    ],
  };
  expect(await logged()).toMatchObject([expected]);
  expect(await kept.read("", null)).toMatchObject([expected]);
  expect(counts).toEqual({ logged: 1, dropped: 0 });
});

it("keeps forecasts of the cached frame, and no backtests", async () => {
  const { ask, predictionLog, logged } = await createWorld(1);
  await ask(null);
  await ask([5, 6, 7], "backtest");
  await predictionLog.stop();
  expect(await logged()).toMatchObject([{ origin: tsOf(22), last: { down: 3 } }]);
});

it("keeps the share of answers that it is told to", async () => {
  const { ask, predictionLog, counts } = await createWorld(0.25);
  for (let request = 0; request < 400; request++) await ask();
  await predictionLog.stop();
  expect(counts.logged).toBeGreaterThan(60);
  expect(counts.logged).toBeLessThan(140);
});

it("stands in nobody's way when nothing is kept", async () => {
  const { path, watched, predictionLog } = await createWorld(0);
  expect(watched).toBe(path);
  await predictionLog.stop();
});

it("writes what has gathered as one object, again and again", async () => {
  const { clock, ask, logged, predictionLog } = await createWorld(1);
  await ask();
  await ask();
  await clock.advance(2_000);
  expect(await logged()).toHaveLength(2);
  await ask();
  await clock.advance(2_000);
  expect(await logged()).toHaveLength(3);
  await predictionLog.stop();
});

it("answers while the store is away, and counts what could not be kept", async () => {
  const { clock, store, ask, counts, predictionLog } = await createWorld(1);
  store.failNext("put", new FltsError("STORE_UNAVAILABLE", "refused"));
  await ask();
  await clock.advance(2_000);
  expect(counts).toEqual({ logged: 0, dropped: 1 });
  await predictionLog.stop();
});

it("leaves answers out when too many wait", async () => {
  const { ask, counts, predictionLog } = await createWorld(1);
  for (let request = 0; request < 4_100; request++) await ask();
  expect(counts.dropped).toBe(4);
  await predictionLog.stop();
});
