import { hostname } from "node:os";
import { join } from "node:path";
import { backendSettings, connectBackends } from "@flts/backends/connect";
import { checkName } from "@flts/common/contracts/layout";
import { runService } from "@flts/common/service/service";
import { stageReporter } from "@flts/common/service/stage-report";
import { buildApp } from "./app.ts";
import { inferenceSettings } from "./config.ts";
import { createInferenceMetrics } from "./metrics.ts";
import { createAdmission } from "./predict/admission.ts";
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

    const maxActive = config.PREDICT_MAX_CONCURRENCY;
    const maxPending = config.QUEUE_MAXSIZE;
    const admission = createAdmission({
      maxActive,
      maxPending,
      clock,
      onWait: (waitMs) => counted.observeWait(waitMs),
    });
    const counted = createInferenceMetrics(metrics.registry, {
      admission: admission.stats,
      maxActive,
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
      maxActive,
      maxPending,
      clock,
      random,
      tally: createRequestTally(counted),
      startupReadyMs: () => startupReadyMs,
    });
    await app.listen({ port: config.PORT, host: config.HOST });
    onStop("http", () => app.close());
    return { ready: { url: app.listeningOrigin, identifier: config.IDENTIFIER, group } };
  },
});
