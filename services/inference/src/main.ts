import { hostname } from "node:os";
import { join } from "node:path";
import { backendSettings, connectBackends } from "@flts/backends/connect";
import { checkName } from "@flts/common/contracts/layout";
import { runService } from "@flts/common/service/service";
import { stageReporter } from "@flts/common/service/stage-report";
import { pipelineTopics } from "@flts/common/stage/topics";
import { buildApp } from "./app.ts";
import { createCachedFrame } from "./cached-frame.ts";
import { inferenceSettings } from "./config.ts";
import { createInferenceMetrics } from "./metrics.ts";
import { createArtifactCache } from "./model/artifact-cache.ts";
import { cachedFetch, loadPromoted } from "./model/load-model.ts";
import { createModelSlot } from "./model/model-slot.ts";
import { watchPromotions } from "./model/promotion-watch.ts";
import { createPursuit } from "./model/pursuit.ts";
import { createAdmission } from "./predict/admission.ts";
import { createRequestTally } from "./request-tally.ts";

await runService({
  name: "inference",
  settings: { ...inferenceSettings, ...backendSettings },
  start: async ({ config, log, metrics, probes, onStop }) => {
    const identifier = config.IDENTIFIER;
    const group = `inference-promotions-${checkName("POD_NAME", config.POD_NAME || hostname())}`;
    const backends = await connectBackends(config);
    onStop("backends", () => backends.close());
    const { store, tracker, clock, random } = backends;

    const slot = createModelSlot(log);
    onStop("model", () => slot.close());
    const admission = createAdmission({
      maxActive: config.PREDICT_MAX_CONCURRENCY,
      maxPending: config.QUEUE_MAXSIZE,
      clock,
      onWait: (waitMs) => serving.observeWait(waitMs),
    });
    const serving = createInferenceMetrics(metrics.registry, {
      admission: admission.stats,
      maxActive: config.PREDICT_MAX_CONCURRENCY,
      epoch: () => slot.current()?.promotion.epoch ?? 0,
    });

    const frame = createCachedFrame({
      store,
      clock,
      random,
      log,
      bucket: config.PROCESSED_BUCKET,
      identifier,
      objectName: config.TEST_OBJECT_KEY,
      maxBytes: config.CLAIM_MAX_BYTES,
    });
    onStop("cached frame", () => frame.stop());
    const refreshFrame = (): void => {
      if (config.INFERENCE_PRELOAD_TEST) frame.refresh();
    };

    const cache = createArtifactCache({
      dir: config.MODEL_CACHE_DIR || join(config.FLTS_HOME, "cache", "inference"),
      identifier,
      random,
      log,
    });
    const fetch = cachedFetch(tracker, cache);
    let startupReadyMs: number | null = null;
    const pursuit = createPursuit({
      slot,
      load: (promotion) => loadPromoted(promotion, fetch),
      memory: cache,
      clock,
      random,
      log,
      onSwitch: () => {
        startupReadyMs ??= Math.round(process.uptime() * 1000);
        serving.countSwap();
      },
      onFailure: () => serving.countLoadFailure(),
    });
    onStop("pursuit", () => pursuit.stop());
    const watch = watchPromotions({
      log: backends.log,
      store,
      clock,
      random,
      logger: log,
      identifier,
      bucket: config.PROMOTION_BUCKET,
      topic: config.PROMOTION_TOPIC,
      group,
      pollMs: config.HEAD_POLL_MS,
      ensureTopics: () => backends.log.ensureTopics(pipelineTopics(config.TOPIC_PARTITIONS)),
      report: stageReporter(log, metrics),
      onPromotion: (promotion) => {
        void pursuit.pursue(promotion);
        refreshFrame();
      },
      onUnreachable: () => void pursuit.restore(),
    });
    onStop("promotion watch", () => watch.stop());
    refreshFrame();

    probes.addComponent("kafka", () => watch.health().log);
    probes.addComponent("store", () => watch.health().store);
    probes.addComponent("model", () => slot.current() !== null);
    const app = buildApp({
      log,
      registry: metrics.registry,
      probes,
      bodyLimitBytes: config.PREDICT_MAX_BYTES,
      logRequests: config.LOG_REQUESTS,
      slot,
      admission,
      clock,
      random,
      cachedFrame: frame.current,
      tally: createRequestTally(serving),
      startupReadyMs: () => startupReadyMs,
      maxActive: config.PREDICT_MAX_CONCURRENCY,
      maxPending: config.QUEUE_MAXSIZE,
      reload: async () => {
        await watch.refresh();
        await pursuit.settled();
      },
    });
    await app.listen({ port: config.PORT, host: config.HOST });
    onStop("http", () => app.close());
    return { ready: { url: app.listeningOrigin, identifier, group } };
  },
});
