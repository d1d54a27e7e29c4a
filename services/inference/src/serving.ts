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
import { createArtifactCache } from "./model/artifact-cache.ts";
import { cachedFetch, loadPromoted, type OpenForecaster } from "./model/load-model.ts";
import { createModelSlot, type ModelSlot } from "./model/model-slot.ts";
import { watchPromotions } from "./model/promotion-watch.ts";
import { createPursuit } from "./model/pursuit.ts";

/** A replica's model and table, kept up to date in the background from now on until it is stopped. */
export interface Serving {
  readonly slot: ModelSlot;
  readonly frame: Pick<CachedFrame, "current">;
  health(): { readonly log: boolean; readonly store: boolean };
  /** Looks at the head now; resolves when what it names was tried. */
  reload(): Promise<void>;
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
  | "CLAIM_MAX_BYTES"
  | "TOPIC_PARTITIONS"
>;

/** Follows the station's head: each promotion is pursued into the slot, and brings the table of its round along. */
export function startServing(deps: ServingDeps): Serving {
  const { store, clock, random, log, config } = deps;
  const identifier = config.IDENTIFIER;
  const slot = createModelSlot(log);
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
  const cache = createArtifactCache({ dir: deps.cacheDir, identifier, random, log });
  const fetch = cachedFetch(deps.tracker, cache);
  const pursuit = createPursuit({
    slot,
    load: (promotion) => loadPromoted(promotion, fetch, deps.open),
    memory: cache,
    clock,
    random,
    log,
    onSwitch: deps.onSwitch,
    onFailure: deps.onFailure,
  });
  const watch = watchPromotions({
    log: deps.messageLog,
    store,
    clock,
    random,
    logger: log,
    identifier,
    bucket: config.PROMOTION_BUCKET,
    topic: config.PROMOTION_TOPIC,
    group: deps.group,
    pollMs: config.HEAD_POLL_MS,
    ensureTopics: () => deps.messageLog.ensureTopics(pipelineTopics(config.TOPIC_PARTITIONS)),
    report: deps.report,
    onPromotion: (promotion) => {
      void pursuit.pursue(promotion);
      refreshFrame();
    },
    onUnreachable: () => void pursuit.restore(),
  });
  refreshFrame();
  return {
    slot,
    frame,
    health: watch.health,
    async reload() {
      await watch.refresh();
      await pursuit.settled();
    },
    async stop() {
      await watch.stop();
      await pursuit.stop();
      await frame.stop();
      await slot.close();
    },
  };
}
