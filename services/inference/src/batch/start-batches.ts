import { inferenceData } from "@flts/common/contracts/events";
import type { MessageLog } from "@flts/common/ports/message-log";
import type { Random } from "@flts/common/ports/random";
import { type AttemptReport, startStage } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import { defaultRetryPolicy } from "@flts/common/stage/verdict";
import { type KeptStage, keepStage } from "../keep-stage.ts";
import { createDriftReferences } from "../live/drift-references.ts";
import type { LiveMetrics } from "../live/live-metrics.ts";
import { watchLive } from "../live/live-watch.ts";
import { createBatchLog } from "./batch-log.ts";
import { type BatchDeps, type BatchOptions, batchStage } from "./batch-stage.ts";
import type { BatchConfig } from "./config.ts";

export interface StartBatchesDeps
  extends Pick<BatchDeps, "store" | "clock" | "log" | "borrow" | "admission" | "kept"> {
  readonly messageLog: MessageLog;
  readonly random: Random;
  readonly config: BatchConfig;
  readonly replica: string;
  readonly report: (attempt: AttemptReport) => void;
  readonly metrics: LiveMetrics;
}

/** Forecasts claimed tables from now on, in the group that all replicas share, and shows what is known of forecasts made before. */
export function startBatches(deps: StartBatchesDeps): KeptStage {
  const { store, clock, random, log, messageLog, config, replica, metrics } = deps;
  const { INFERENCE_LOG_BUCKET: logBucket, PROCESSED_BUCKET: processedBucket } = config;
  const options: BatchOptions = {
    processedBucket,
    logBucket,
    maxBytes: config.CLAIM_MAX_BYTES,
    topic: config.PRODUCER_TOPIC,
    replica,
    steps: config.INFERENCE_LENGTH,
    maxErrorSteps: config.PREDICT_MAX_ERROR_STEPS,
    maxSampleColumns: config.PREDICT_LOG_FEATURE_LIMIT,
    windowRows: config.LIVE_WINDOW_ROWS,
    isSilent: config.INFERENCE_DISABLE_LOG_UPLOAD,
  };
  const batchDeps: BatchDeps = {
    ...deps,
    options,
    batches: createBatchLog(store, logBucket, clock),
    drift: createDriftReferences({
      store,
      log,
      bucket: processedBucket,
      objectName: config.TRAIN_OBJECT_KEY,
      maxBytes: config.CLAIM_MAX_BYTES,
    }),
    onScored: metrics.observe,
    onOutcome: metrics.countBatch,
  };
  const { CONSUMER_GROUP_ID: group } = config;
  const stage = keepStage({
    clock,
    random,
    onFailure: (error) => log.error("batch_stage_fail", error, { group }),
    async start(onFatal) {
      await messageLog.ensureTopics(pipelineTopics(config.TOPIC_PARTITIONS));
      if (!options.isSilent) await store.ensureBucket(logBucket);
      const claims = { ...batchStage, consumes: { ...inferenceData, name: config.CONSUMER_TOPIC_0 } };
      return startStage(claims, {
        log: messageLog,
        deps: batchDeps,
        clock,
        random,
        policy: { ...defaultRetryPolicy, modelMissingGraceMs: config.MODEL_MISSING_GRACE_MS },
        group,
        report: deps.report,
        onFatal,
      });
    },
  });
  const watch = watchLive({
    store,
    clock,
    log,
    bucket: logBucket,
    everyMs: config.LIVE_REFRESH_MS,
    onLive: metrics.observe,
  });
  return {
    isAlive: stage.isAlive,
    async stop() {
      await stage.stop();
      await watch.stop();
    },
  };
}
