import { backendSettings, connectBackends } from "@flts/backends/connect";
import { createHttpApp } from "@flts/common/service/http";
import { runService, stageIsAlive } from "@flts/common/service/service";
import { stageReporter } from "@flts/common/service/stage-report";
import { startStage } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import { defaultRetryPolicy } from "@flts/common/stage/verdict";
import { evalSettings } from "./config.ts";
import { evalStage } from "./eval-stage.ts";
import { createLedger } from "./ledger.ts";
import { judgeRound } from "./scoring.ts";

/** Requests to eval are small documents. */
const BODY_LIMIT_BYTES = 1024 ** 2;

await runService({
  name: "eval",
  settings: { ...evalSettings, ...backendSettings },
  start: async ({ config, log, metrics, probes, onStop, fatal }) => {
    const backends = await connectBackends(config);
    onStop("backends", () => backends.close());
    const { store, tracker, clock } = backends;
    await backends.log.ensureTopics(pipelineTopics(config.TOPIC_PARTITIONS));
    await store.ensureBucket(config.PROMOTION_BUCKET);
    if (config.PROMOTION_GATE === "off")
      log.warn("promotion_gate_off", { PROMOTION_GATE: config.PROMOTION_GATE });
    const stage = await startStage(
      { ...evalStage, consumes: { ...evalStage.consumes, name: config.MODEL_TRAINING_TOPIC } },
      {
        log: backends.log,
        clock,
        random: backends.random,
        group: config.EVAL_GROUP_ID,
        policy: { ...defaultRetryPolicy, claimMissingGraceMs: config.CLAIM_MISSING_GRACE_MS },
        report: stageReporter(log, metrics),
        onFatal: fatal,
        deps: {
          store,
          clock,
          log,
          ledger: createLedger(store, config.PROMOTION_BUCKET),
          promotionBucket: config.PROMOTION_BUCKET,
          expectedFamilies: config.EXPECTED_MODEL_TYPES.map((family) => family.toUpperCase()),
          judgeRound: (candidates, champion) =>
            judgeRound(candidates, champion, {
              store,
              tracker,
              log,
              gate: config.PROMOTION_GATE,
              processedBucket: config.PROCESSED_BUCKET,
              claimMaxBytes: config.CLAIM_MAX_BYTES,
            }),
        },
      },
    );
    onStop("stage", () => stage.stop());
    probes.addComponent("kafka", () => stageIsAlive(stage));
    probes.addComponent("store", () => store.ping());
    probes.addComponent("mlflow", () => tracker.ping());
    const app = createHttpApp({
      log,
      registry: metrics.registry,
      probes,
      bodyLimitBytes: BODY_LIMIT_BYTES,
      logRequests: config.LOG_REQUESTS,
    });
    await app.listen({ port: config.PORT, host: config.HOST });
    onStop("http", () => app.close());
    return { ready: { url: app.listeningOrigin } };
  },
});
