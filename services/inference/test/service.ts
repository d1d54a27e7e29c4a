import { createMetrics } from "@flts/common/service/metrics";
import { createProbes } from "@flts/common/service/probes";
import type { Table } from "@flts/forecasting/table/table";
import { createManualClock } from "@flts/testing/manual-clock";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { buildApp, type InferenceDeps } from "../src/app.ts";
import { createInferenceMetrics } from "../src/metrics.ts";
import { createModelSlot } from "../src/model/model-slot.ts";
import { createForecastPath } from "../src/predict/forecast-path.ts";
import { requestIds } from "../src/predict/request-ids.ts";
import { createResponseCache } from "../src/predict/response-cache.ts";
import { createWithChampion } from "../src/predict/with-champion.ts";
import { createRequestTally } from "../src/request-tally.ts";
import { constantModel, openAdmission, promotionOf, quietLog } from "./fakes.ts";

/** The whole application on fakes: a model that answers 42, and a clock that stands still. */

export const BODY_LIMIT_BYTES = 64 * 1024;
export const MAX_PENDING = 3;

export interface ServiceOptions extends Pick<Partial<InferenceDeps>, "publish" | "slowClientMs"> {
  readonly cacheBytes?: number;
}

export function createService({
  cacheBytes = 0,
  publish = null,
  slowClientMs = 10_000,
}: ServiceOptions = {}) {
  const log = quietLog();
  const clock = createManualClock();
  const { registry } = createMetrics("inference");
  const slot = createModelSlot(log);
  slot.switchTo({ promotion: promotionOf(1), model: constantModel(42) });
  const admission = openAdmission(clock, { maxPending: MAX_PENDING });
  const state: { frame: Table | null; reloads: number; threads: number } = {
    frame: null,
    reloads: 0,
    threads: 1,
  };
  const compute = () => ({ threads: state.threads, busy: 0, waiting: 0, oldestWaitMs: 0, msPerWindow: 0 });
  const metrics = createInferenceMetrics(registry, {
    admission: admission.stats,
    compute,
    stations: () => ({ stations: 1, bytes: 1, evicted: 0, behind: 0 }),
    epoch: () => slot.current()?.promotion.epoch ?? 0,
  });
  const nextRequestId = requestIds(createSeededRandom(1));
  const app = buildApp({
    log,
    registry,
    probes: createProbes(),
    bodyLimitBytes: BODY_LIMIT_BYTES,
    slowClientMs,
    bulk: {
      maxBytes: 8 * 1024 ** 2,
      maxBatchBytes: 1024 ** 2,
      maxRows: 20_000,
      maxRequests: 1,
      timeoutMs: 60_000,
    },
    logRequests: false,
    slot,
    admission,
    compute,
    resize: async (threads) => {
      state.threads = threads;
    },
    clock,
    nextRequestId,
    withChampion: createWithChampion({ borrow: () => slot.borrow(), admission }),
    forecast: createForecastPath({
      borrow: () => slot.borrow(),
      cachedFrame: () => (state.frame === null ? null : { table: state.frame, timeColumn: "time" }),
      admission,
      nextRequestId,
    }),
    cache:
      cacheBytes === 0
        ? null
        : createResponseCache({
            maxBytes: cacheBytes,
            championOf: slot.current,
            cachedFrame: () => state.frame,
          }),
    cachedFrame: () => state.frame,
    tally: createRequestTally(metrics),
    startupReadyMs: () => 12,
    maxPending: MAX_PENDING,
    reload: async () => {
      state.reloads += 1;
    },
    publish,
  });
  const post = (payload: unknown, url = "/predict", headers: Record<string, string> = {}) =>
    app.inject({
      method: "POST",
      url,
      payload: typeof payload === "string" ? payload : JSON.stringify(payload),
      headers: { "content-type": "application/json", ...headers },
    });
  const get = (url: string) => app.inject({ method: "GET", url });
  return { app, slot, registry, state, clock, post, get };
}
