import { hostname } from "node:os";
import { join } from "node:path";
import { backendSecrets, backendSettings, connectBackends } from "@flts/backends/connect";
import { checkName } from "@flts/common/contracts/layout";
import { runService } from "@flts/common/service/service";
import { stageReporter } from "@flts/common/service/stage-report";
import { buildApp } from "./app.ts";
import { batchSettings } from "./batch/config.ts";
import { startBatches } from "./batch/start-batches.ts";
import { startCompute } from "./compute/compute.ts";
import { inferenceSettings } from "./config.ts";
import { createKeptForecasts } from "./live/kept-forecasts.ts";
import { createLiveMetrics } from "./live/live-metrics.ts";
import { createPredictionLog } from "./live/prediction-log.ts";
import { createInferenceMetrics } from "./metrics.ts";
import type { Station } from "./model/station.ts";
import { createAdmission } from "./predict/admission.ts";
import { createForecastPath } from "./predict/forecast-path.ts";
import { requestIds } from "./predict/request-ids.ts";
import { createResponseCache } from "./predict/response-cache.ts";
import type { Rows } from "./predict/rows.ts";
import { createWithChampion } from "./predict/with-champion.ts";
import { createRequestTally } from "./request-tally.ts";
import { startServing } from "./serving.ts";

await runService({
  name: "inference",
  settings: { ...inferenceSettings, ...batchSettings, ...backendSettings },
  secrets: backendSecrets,
  start: async ({ config, log, metrics, probes, onStop }) => {
    const replica = checkName("POD_NAME", config.POD_NAME || hostname());
    const group = `inference-promotions-${replica}`;
    const backends = await connectBackends(config);
    onStop("backends", () => backends.close());
    const { store, tracker, clock, random } = backends;

    const compute = await startCompute({
      threads: config.QUEUE_WORKERS,
      maxBatch: config.PREDICT_MAX_BATCH,
      clock,
      onBatch: (windows) => counted.observeBatch(windows),
      onCrash: (error) => log.error("forecast_worker_crash", error),
    });
    onStop("compute", () => compute.close());
    const admission = createAdmission({
      clock,
      compute: compute.stats,
      maxPending: config.QUEUE_MAXSIZE,
      maxWaitMs: config.PREDICT_MAX_WAIT_MS,
      timeoutMs: config.INFERENCE_TIMEOUT * 1000,
      onWait: (waitMs) => counted.observeWait(waitMs),
    });
    onStop("admission", () => admission.stop());
    const counted = createInferenceMetrics(metrics.registry, {
      admission: admission.stats,
      compute: compute.stats,
      epoch: () => own().slot.current()?.promotion.epoch ?? 0,
      stations: () => serving.stations.stats(),
    });
    let startupReadyMs: number | null = null;
    const serving = startServing({
      messageLog: backends.log,
      store,
      tracker,
      clock,
      random,
      log,
      config,
      group,
      cacheDir: config.MODEL_CACHE_DIR || join(config.FLTS_HOME, "cache", "inference"),
      open: compute.open,
      report: stageReporter(log, metrics),
      onSwitch: () => {
        if (own().slot.current() !== null) startupReadyMs ??= Math.round(process.uptime() * 1000);
        counted.countSwap();
      },
      onFailure: () => counted.countLoadFailure(),
    });
    onStop("serving", () => serving.stop());
    const own = (): Station => serving.stations.own;

    // The last good model goes on serving without either (P6).
    probes.showComponent("kafka", () => serving.health().log);
    probes.showComponent("store", () => serving.health().store);
    probes.addComponent("model", () => own().slot.current() !== null);
    const cachedFrame = serving.frame.current;
    const cachedRows = (identifier: string | null): Rows | null =>
      serving.stations.isOwn(identifier) ? serving.frame.rows() : null;
    const nextRequestId = requestIds(random);
    const { borrow } = serving.stations;
    const liveMetrics = createLiveMetrics(metrics.registry);
    const logBucket = config.INFERENCE_LOG_BUCKET;
    const kept = createKeptForecasts(store, logBucket);
    const common = { store, clock, random, log, replica, kept };
    const batches = startBatches({
      ...common,
      messageLog: backends.log,
      config,
      borrow,
      admission,
      report: stageReporter(log, metrics),
      metrics: liveMetrics,
    });
    onStop("batches", () => batches.stop());
    probes.showComponent("batches", () => batches.isAlive());
    const forecast = createForecastPath({ borrow, cachedFrame: cachedRows, admission, nextRequestId });
    const predictionLog = createPredictionLog({
      ...common,
      bucket: logBucket,
      rate: config.INFERENCE_DISABLE_LOG_UPLOAD ? 0 : config.PREDICTION_LOG_RATE,
      onLogged: liveMetrics.countLogged,
      onDropped: liveMetrics.countDropped,
    });
    onStop("prediction log", () => predictionLog.stop());
    const app = buildApp({
      log,
      registry: metrics.registry,
      probes,
      bodyLimitBytes: config.PREDICT_MAX_BYTES,
      slowClientMs: config.SLOW_CLIENT_MS,
      bulk: {
        maxBytes: config.BULK_MAX_BYTES,
        maxBatchBytes: config.BULK_MAX_BATCH_BYTES,
        maxRows: config.BULK_MAX_ROWS,
        maxRequests: config.BULK_MAX_REQUESTS,
        timeoutMs: config.BULK_TIMEOUT_MS,
      },
      logRequests: config.LOG_REQUESTS,
      slot: own().slot,
      cachedFrame,
      reload: () => own().reload(),
      admission,
      compute: compute.stats,
      resize: compute.resize,
      withChampion: createWithChampion({ borrow, admission }),
      forecast: predictionLog.watch(forecast, cachedRows),
      cache: config.ENABLE_PREDICT_CACHE
        ? createResponseCache({
            maxBytes: config.PREDICT_CACHE_BYTES,
            championOf: serving.stations.championOf,
            cachedFrame,
          })
        : null,
      nextRequestId,
      maxPending: config.QUEUE_MAXSIZE,
      clock,
      tally: createRequestTally(counted),
      startupReadyMs: () => startupReadyMs,
      publish: config.ENABLE_PUBLISH_API
        ? {
            messageLog: backends.log,
            store,
            clock,
            topic: config.PUBLISH_TOPIC,
            bucket: config.PROCESSED_BUCKET,
            objectName: config.TEST_OBJECT_KEY,
          }
        : null,
    });
    await app.listen({ port: config.PORT, host: config.HOST });
    onStop("http", () => app.close());
    return { ready: { url: app.listeningOrigin, identifier: config.IDENTIFIER, group } };
  },
});
