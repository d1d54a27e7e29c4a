import { hostname } from "node:os";
import { join } from "node:path";
import { backendSettings, connectBackends } from "@flts/backends/connect";
import { checkName } from "@flts/common/contracts/layout";
import { runService } from "@flts/common/service/service";
import { stageReporter } from "@flts/common/service/stage-report";
import { buildApp } from "./app.ts";
import { startCompute } from "./compute/compute.ts";
import { inferenceSettings } from "./config.ts";
import { createInferenceMetrics } from "./metrics.ts";
import { createAdmission } from "./predict/admission.ts";
import { createForecastPath } from "./predict/forecast-path.ts";
import { createRequestTally } from "./request-tally.ts";
import { startServing } from "./serving.ts";

await runService({
  name: "inference",
  settings: { ...inferenceSettings, ...backendSettings },
  start: async ({ config, log, metrics, probes, onStop }) => {
    const group = `inference-promotions-${checkName("POD_NAME", config.POD_NAME || hostname())}`;
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
      epoch: () => serving.slot.current()?.promotion.epoch ?? 0,
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
        startupReadyMs ??= Math.round(process.uptime() * 1000);
        counted.countSwap();
      },
      onFailure: () => counted.countLoadFailure(),
    });
    onStop("serving", () => serving.stop());

    // The last good model goes on serving without either (P6).
    probes.showComponent("kafka", () => serving.health().log);
    probes.showComponent("store", () => serving.health().store);
    probes.addComponent("model", () => serving.slot.current() !== null);
    const app = buildApp({
      log,
      registry: metrics.registry,
      probes,
      bodyLimitBytes: config.PREDICT_MAX_BYTES,
      logRequests: config.LOG_REQUESTS,
      slot: serving.slot,
      cachedFrame: serving.frame.current,
      reload: serving.reload,
      admission,
      compute: compute.stats,
      forecast: createForecastPath({
        borrow: () => serving.slot.borrow(),
        cachedFrame: serving.frame.current,
        admission,
        random,
      }),
      maxPending: config.QUEUE_MAXSIZE,
      clock,
      tally: createRequestTally(counted),
      startupReadyMs: () => startupReadyMs,
    });
    await app.listen({ port: config.PORT, host: config.HOST });
    onStop("http", () => app.close());
    return { ready: { url: app.listeningOrigin, identifier: config.IDENTIFIER, group } };
  },
});
