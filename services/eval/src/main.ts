import { assertConditionalWrites } from "@flts/backends/conditional-writes";
import { backendSecrets, backendSettings, connectBackends } from "@flts/backends/connect";
import { buckets } from "@flts/common/contracts/layout";
import type { Emission } from "@flts/common/contracts/topic";
import { housekeepingSettings, startHousekeeping } from "@flts/common/housekeeping/housekeeping";
import { runService, stageIsAlive } from "@flts/common/service/service";
import { stageReporter } from "@flts/common/service/stage-report";
import { untilAvailable } from "@flts/common/service/until-available";
import { startStage, toMessage } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import { defaultRetryPolicy } from "@flts/common/stage/verdict";
import { buildApp } from "./api/app.ts";
import { createTokenGuard } from "./api/token.ts";
import { evalSettings } from "./config.ts";
import { type EvalDeps, evalStage } from "./eval-stage.ts";
import { createEvalMetrics } from "./metrics.ts";
import { createDoor } from "./promotion/door.ts";
import { createLedger } from "./promotion/ledger.ts";
import { judgeRound } from "./round/scoring.ts";
import { createUntoldDecisions } from "./round/untold.ts";
import { createWaitingRoom } from "./round/waiting.ts";
import { createStationBook } from "./stations.ts";
import { createChampionCheck } from "./sweep/champion-check.ts";
import { createRegistrySync } from "./sweep/registry-sync.ts";
import { startSweeping } from "./sweep/sweep.ts";

/** Requests to eval are small documents. */
const BODY_LIMIT_BYTES = 64 * 1024;

await runService({
  name: "eval",
  settings: { ...evalSettings, ...housekeepingSettings, ...backendSettings },
  secrets: ["PROMOTION_API_TOKEN", ...backendSecrets],
  start: async ({ config, log, metrics, probes, stopping, onStop, fatal }) => {
    const backends = await connectBackends(config);
    onStop("backends", () => backends.close());
    const { store, tracker, clock, random } = backends;
    const { PROMOTION_BUCKET: promotionBucket, PROMOTION_GATE: gate } = config;
    const patience = { clock, log, signal: stopping };
    probes.addComponent("kafka", () => backends.log.ping()); // the stage's health once there is one
    probes.addComponent("store", () => store.ping());
    probes.addComponent("mlflow", () => tracker.ping());
    await untilAvailable(patience, "the topics in Kafka", () =>
      backends.log.ensureTopics(pipelineTopics(config.TOPIC_PARTITIONS)),
    );
    await untilAvailable(patience, `bucket ${promotionBucket} in the store`, async () => {
      await store.ensureBucket(promotionBucket);
      await assertConditionalWrites(store, promotionBucket, random);
    });
    await untilAvailable(patience, "MLflow", () => tracker.ping());
    if (gate === "off") log.warn("promotion_gate_off", { PROMOTION_GATE: gate });
    const evalMetrics = createEvalMetrics(metrics.registry);
    const ledger = createLedger(store, promotionBucket);
    const untold = createUntoldDecisions(store, promotionBucket);
    const publish = async (emissions: readonly Emission[]): Promise<void> => {
      if (emissions.length > 0) await backends.log.publish(emissions.map(toMessage));
    };
    const books = { store, tracker, clock, log, ledger, promotionBucket };
    const scoring = {
      store,
      tracker,
      log,
      gate,
      processedBucket: config.PROCESSED_BUCKET,
      claimMaxBytes: config.CLAIM_MAX_BYTES,
    };
    const deps: EvalDeps = {
      ...books,
      untold,
      waiting: createWaitingRoom(store, promotionBucket, clock),
      stations: createStationBook(store, promotionBucket),
      patience: {
        expectedFamilies: config.EXPECTED_MODEL_TYPES.map((family) => family.toUpperCase()),
        missingWaitMs: config.EXPECTED_MISSING_WAIT_MS,
        failedWaitMs: config.EXPECTED_FAILED_WAIT_MS,
      },
      incomplete: config.EXPECTED_INCOMPLETE,
      judgeRound: (candidates, champion) => judgeRound(candidates, champion, scoring),
      onDecided(decision) {
        evalMetrics.decided(decision);
        sweeping.wake();
      },
    };
    const sweeping = startSweeping(
      {
        ...deps,
        publish,
        registry: createRegistrySync({ tracker, log, untold, ledger }),
        champions: createChampionCheck({ tracker, clock, log, onChecked: evalMetrics.championChecked }),
        onWaiting: evalMetrics.waiting,
        onChampion: evalMetrics.champion,
      },
      config.SWEEP_INTERVAL_MS,
    );
    onStop("sweep", () => sweeping.stop());
    const trainings = {
      ...evalStage,
      consumes: { ...evalStage.consumes, name: config.MODEL_TRAINING_TOPIC },
    };
    const stage = await untilAvailable(patience, `group ${config.EVAL_GROUP_ID} in Kafka`, () =>
      startStage(trainings, {
        log: backends.log,
        clock,
        random,
        group: config.EVAL_GROUP_ID,
        policy: { ...defaultRetryPolicy, claimMissingGraceMs: config.CLAIM_MISSING_GRACE_MS },
        report: stageReporter(log, metrics),
        onFatal: fatal,
        deps,
      }),
    );
    onStop("stage", () => stage.stop());
    const housekeeping = startHousekeeping(
      {
        ...books,
        log: backends.log,
        logger: log,
        processedBucket: config.PROCESSED_BUCKET,
        runsBucket: buckets.mlflow,
        logsBucket: config.INFERENCE_LOG_BUCKET,
      },
      config,
    );
    onStop("housekeeping", () => housekeeping.stop());
    probes.addComponent("kafka", () => stageIsAlive(stage));
    const app = buildApp({
      ...books,
      registry: metrics.registry,
      probes,
      bodyLimitBytes: BODY_LIMIT_BYTES,
      logRequests: config.LOG_REQUESTS,
      door: createDoor({ ...books, random, publish }),
      guard: createTokenGuard(config.PROMOTION_API_TOKEN, clock),
    });
    await app.listen({ port: config.PORT, host: config.HOST });
    onStop("http", () => app.close());
    return { ready: { url: app.listeningOrigin } };
  },
});
