import type { Promotion } from "@flts/common/contracts/promotion";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Random } from "@flts/common/ports/random";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import type { Logger } from "@flts/common/service/logger";
import { createArtifactCache } from "./artifact-cache.ts";
import { type HeadState, watchHead } from "./head-watch.ts";
import { cachedFetch, loadPromoted, type OpenForecaster } from "./load-model.ts";
import { createModelSlot, type ModelSlot } from "./model-slot.ts";
import { readPromotions } from "./promotions.ts";
import { createPursuit } from "./pursuit.ts";

/** A station whose champion this replica serves: its head is followed, and what it names is pursued into the slot. */
export interface Station {
  readonly slot: ModelSlot;
  /** What its head was at first; when that named a promotion, or the store did not answer, what can be served was tried. */
  readonly opened: Promise<HeadState>;
  /** Its head may have changed. */
  hint(): void;
  /** Looks at the head now; resolves when what it names was tried. */
  reload(): Promise<void>;
  isReachable(): boolean;
  /** Whether it serves another model than the one that is promoted, or none. */
  isBehind(): boolean;
  stop(): Promise<void>;
}

export interface StationDeps {
  readonly store: ObjectStore;
  readonly tracker: RunTracker;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Where heads lie. */
  readonly bucket: string;
  readonly pollMs: number;
  readonly cacheDir: string;
  /** Makes a forecaster of a model's files. */
  readonly open: OpenForecaster;
  /** Told of what the head names, of every switch, and of every attempt that failed. */
  readonly onPromotion: (promotion: Promotion) => void;
  readonly onSwitch: (promotion: Promotion) => void;
  readonly onFailure: (promotion: Promotion) => void;
}

export function openStation(identifier: string, deps: StationDeps): Station {
  const { store, clock, random, log } = deps;
  const slot = createModelSlot(log);
  const cache = createArtifactCache({ dir: deps.cacheDir, identifier, random, log });
  const fetch = cachedFetch(deps.tracker, cache);
  const promotions = readPromotions(store, deps.bucket, identifier);
  const pursuit = createPursuit({
    slot,
    load: (promotion) => loadPromoted(promotion, fetch, deps.open),
    memory: cache,
    before: promotions.before,
    clock,
    random,
    log,
    onSwitch: deps.onSwitch,
    onFailure: deps.onFailure,
  });
  const head = watchHead({
    store,
    promotions,
    clock,
    log,
    identifier,
    bucket: deps.bucket,
    pollMs: deps.pollMs,
    onPromotion: (promotion) => {
      void pursuit.pursue(promotion);
      deps.onPromotion(promotion);
    },
    onUnreachable: () => void pursuit.restore(),
  });

  async function firstTry(): Promise<HeadState> {
    const state = await head.first;
    if (state === "unreachable") await pursuit.restore();
    await pursuit.settled();
    return state;
  }

  return {
    slot,
    opened: firstTry(),
    hint: head.wake,
    async reload() {
      await head.refresh();
      await pursuit.settled();
    },
    isReachable: head.isReachable,
    isBehind: pursuit.isBehind,
    async stop() {
      await head.stop();
      await pursuit.stop();
      await slot.close();
    },
  };
}
