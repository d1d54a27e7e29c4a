import { stationOf } from "@flts/common/contracts/identity";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { Clock } from "@flts/common/ports/clock";
import type { MessageLog } from "@flts/common/ports/message-log";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Random } from "@flts/common/ports/random";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import type { Logger } from "@flts/common/service/logger";
import type { AttemptReport } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import type { z } from "zod";
import { type CachedFrame, createCachedFrame } from "./cached-frame.ts";
import type { inferenceSettings } from "./config.ts";
import type { OpenForecaster } from "./model/load-model.ts";
import { hearPromotions } from "./model/promotion-hints.ts";
import { createStations, type Stations } from "./model/stations.ts";

/** A replica's models and table, kept up to date in the background from now on until it is stopped. */
export interface Serving {
  readonly stations: Stations;
  /** Of the replica's own station. */
  readonly frame: Pick<CachedFrame, "current" | "rows">;
  health(): { readonly log: boolean; readonly store: boolean };
  stop(): Promise<void>;
}

export interface ServingDeps {
  readonly messageLog: MessageLog;
  readonly store: ObjectStore;
  readonly tracker: RunTracker;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly config: ServingConfig;
  /** The consumer group of this replica alone. */
  readonly group: string;
  readonly cacheDir: string;
  /** Makes a forecaster of a model's files. */
  readonly open: OpenForecaster;
  readonly report: (attempt: AttemptReport) => void;
  readonly onSwitch: (promotion: Promotion) => void;
  readonly onFailure: (promotion: Promotion) => void;
}

export type ServingConfig = Pick<
  z.infer<z.ZodObject<typeof inferenceSettings>>,
  | "IDENTIFIER"
  | "PROMOTION_BUCKET"
  | "PROMOTION_TOPIC"
  | "PROCESSED_BUCKET"
  | "TEST_OBJECT_KEY"
  | "INFERENCE_PRELOAD_TEST"
  | "HEAD_POLL_MS"
  | "MODEL_CACHE_BYTES"
  | "CLAIM_MAX_BYTES"
  | "TOPIC_PARTITIONS"
>;

/** Follows the heads of stations: each promotion is pursued into its station's slot; one of the replica's own brings the table of its round along. */
export function startServing(deps: ServingDeps): Serving {
  const { store, clock, random, log, config, messageLog } = deps;
  const identifier = config.IDENTIFIER;
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
  const refreshFrame = (): void => {
    if (config.INFERENCE_PRELOAD_TEST) frame.refresh();
  };
  const stations = createStations({
    store,
    tracker: deps.tracker,
    clock,
    random,
    log,
    identifier,
    bucket: config.PROMOTION_BUCKET,
    pollMs: config.HEAD_POLL_MS,
    cacheDir: deps.cacheDir,
    maxBytes: config.MODEL_CACHE_BYTES,
    open: deps.open,
    onPromotion: (promotion) => {
      if (stationOf(promotion.identifier) === stationOf(identifier)) refreshFrame();
    },
    onSwitch: deps.onSwitch,
    onFailure: deps.onFailure,
  });
  const hints = hearPromotions({
    messageLog,
    clock,
    random,
    log,
    topic: config.PROMOTION_TOPIC,
    group: deps.group,
    ensureTopics: () => messageLog.ensureTopics(pipelineTopics(config.TOPIC_PARTITIONS)),
    report: deps.report,
    onHint: stations.hint,
  });
  refreshFrame();
  return {
    stations,
    frame,
    health: () => ({ log: hints.isAlive(), store: stations.own.isReachable() }),
    async stop() {
      await hints.stop();
      await stations.stop();
      await frame.stop();
    },
  };
}
