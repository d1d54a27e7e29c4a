import { backendSecrets, backendSettings, connectBackends } from "@flts/backends/connect";
import { reconcile } from "@flts/common/housekeeping/reconcile";
import { repeat } from "@flts/common/housekeeping/repeat";
import { CODE_VERSION, runService, stageIsAlive } from "@flts/common/service/service";
import { stageReporter } from "@flts/common/service/stage-report";
import { untilAvailable } from "@flts/common/service/until-available";
import { startStage } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import { defaultRetryPolicy } from "@flts/common/stage/verdict";
import { settingsOf } from "@flts/families/family";
import { familyOf } from "@flts/families/registry";
import { trainInChild } from "./child-runner.ts";
import { type CombineDeps, combineStage } from "./combine-stage.ts";
import { familySettings, trainSettings } from "./config.ts";
import { candidateLedgers } from "./reconcile-candidates.ts";
import { trainStage } from "./train-stage.ts";

/** A trainer that has just written a candidate has published its event by then. */
const SETTLE_MS = 30_000;

await runService({
  name: "train",
  settings: { ...trainSettings, ...familySettings, ...backendSettings },
  secrets: backendSecrets,
  start: async ({ config, log, metrics, probes, stopping, onStop, fatal }) => {
    const family = familyOf(config.MODEL_TYPE);
    const backends = await connectBackends(config);
    onStop("backends", () => backends.close());
    const patience = { clock: backends.clock, log, signal: stopping };
    probes.addComponent("kafka", () => backends.log.ping()); // the stage's health once there is one
    probes.addComponent("store", () => backends.store.ping());
    probes.addComponent("mlflow", () => backends.tracker.ping());
    await untilAvailable(patience, "the topics in Kafka", () =>
      backends.log.ensureTopics(pipelineTopics(config.TOPIC_PARTITIONS)),
    );
    for (const bucket of [config.PROCESSED_BUCKET, config.PROMOTION_BUCKET])
      await untilAvailable(patience, `bucket ${bucket} in the store`, () =>
        backends.store.ensureBucket(bucket),
      );
    await untilAvailable(patience, "MLflow", () => backends.tracker.ping());
    const limits = {
      silenceTimeoutMs: config.TRAIN_SILENCE_TIMEOUT_MS,
      memoryMaxBytes: config.TRAIN_MEMORY_MAX_BYTES,
    };
    const environment = {
      log: backends.log,
      clock: backends.clock,
      random: backends.random,
      group: config.CONSUMER_GROUP_ID || `train-${family.name.toLowerCase()}`,
      maxInFlight: config.TRAIN_CONCURRENCY,
      policy: {
        ...defaultRetryPolicy,
        maxCrashedAttempts: config.FAILURE_MAX_RETRIES,
        claimMissingGraceMs: config.CLAIM_MISSING_GRACE_MS,
      },
      report: stageReporter(log.with({ model_type: family.name }), metrics),
      onFatal: fatal,
    };
    const deps: CombineDeps = {
      store: backends.store,
      tracker: backends.tracker,
      clock: backends.clock,
      random: backends.random,
      log,
      family,
      settings: settingsOf(family, config),
      targets: config.TARGETS,
      nonce: config.RETRAIN_NONCE,
      processedBucket: config.PROCESSED_BUCKET,
      promotionBucket: config.PROMOTION_BUCKET,
      claimMaxBytes: config.CLAIM_MAX_BYTES,
      leaseMs: config.TRAIN_LEASE_MS,
      codeVersion: CODE_VERSION,
      expectedFamilies: config.EXPECTED_MODEL_TYPES.map((name) => name.toUpperCase()),
      train: (work, signal, onProgress) =>
        trainInChild({
          work: { family: family.name, ...work },
          limits,
          environment: process.env,
          signal,
          onProgress,
        }),
    };
    const claims = { ...trainStage, consumes: { ...trainStage.consumes, name: config.CONSUMER_TOPIC } };
    const stage = await untilAvailable(patience, `group ${environment.group} in Kafka`, () =>
      family.combines
        ? startStage(combineStage, { ...environment, deps })
        : startStage(claims, { ...environment, deps }),
    );
    onStop("stage", () => stage.stop());
    const ledgers = candidateLedgers({
      ...backends,
      promotionBucket: config.PROMOTION_BUCKET,
      family: family.name,
    });
    const reconciler = repeat(
      {
        clock: backends.clock,
        everyMs: config.RECONCILE_INTERVAL_MS,
        onError: (error) => log.error("reconcile_fail", error),
      },
      async (signal) => {
        const looks = { log: backends.log, clock: backends.clock, settleMs: SETTLE_MS, signal };
        for (const workKey of await reconcile(ledgers, looks))
          log.info("event_republished", { work_key: workKey });
      },
    );
    onStop("reconciler", () => reconciler.stop());
    probes.addComponent("kafka", () => stageIsAlive(stage));
    return { ready: { model_type: family.name } };
  },
});
