import { hasCode } from "@flts/common/contracts/errors";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { Clock } from "@flts/common/ports/clock";
import type { Random } from "@flts/common/ports/random";
import type { Logger } from "@flts/common/service/logger";
import { backOff, defaultRetryPolicy } from "@flts/common/stage/verdict";
import type { ModelSlot } from "./model-slot.ts";
import type { ServableModel } from "./servable-model.ts";

/**
 * Brings promoted models into the slot.
 *
 * - U1 The slot changes only to a model that was loaded, verified and tried out beside the old one. One that fails changes nothing.
 * - U2 A promotion is tried again, with back-off, until it is served or a newer one comes.
 * - U3 A newer promotion does not wait for an older one: from that moment on the older one can no longer reach the slot.
 * - U4 With nothing to serve, the last champion of this replica is better than none.
 * - U5 A promotion whose files are gone or wrong is replaced by the latest one before it that loads, if that is later than what is served; U2 goes on meanwhile.
 */
export interface Pursuit {
  /** Resolves when the first attempt has ended, either way. */
  pursue(promotion: Promotion): Promise<void>;
  /** Serves what this replica served last, if the slot is empty (U4). Tried once in a process's life. */
  restore(): Promise<void>;
  /** Resolves when the latest pursuit's first attempt has ended. */
  settled(): Promise<void>;
  /** Whether something else is served than was pursued last. */
  isBehind(): boolean;
  stop(): Promise<void>;
}

export interface PursuitDeps {
  readonly slot: ModelSlot;
  /** Fetches, verifies, loads and tries out. */
  readonly load: (promotion: Promotion) => Promise<ServableModel>;
  readonly memory: ChampionMemory;
  /** Promotions before one, the latest first. */
  readonly before: (promotion: Promotion) => AsyncIterable<Promotion>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Told of every switch and every failed attempt. */
  readonly onSwitch: (promotion: Promotion) => void;
  readonly onFailure: (promotion: Promotion) => void;
}

/** Which promotion this replica served last, across restarts. */
export interface ChampionMemory {
  remember(promotion: Promotion): Promise<void>;
  /** Null when there is none, or none that can be read. */
  recall(): Promise<Promotion | null>;
}

interface Attempt {
  readonly promotion: Promotion;
  readonly abort: AbortController;
  readonly first: PromiseWithResolvers<void>;
}

export function createPursuit(deps: PursuitDeps): Pursuit {
  const { slot, load, memory, before, clock, random, log } = deps;
  let latest: Attempt | null = null;
  let restored: Promise<void> | null = null;
  let stopped = false;
  const running = new Set<Promise<void>>();

  const track = (work: Promise<void>): Promise<void> => {
    running.add(work);
    void work.finally(() => running.delete(work));
    return work;
  };

  async function chase({ promotion, abort: { signal }, first }: Attempt): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        if (await install(promotion, "promotion", () => !signal.aborted)) await remember(promotion);
        return first.resolve();
      } catch (error) {
        log.error("promotion_model_load_fail", error, { ...idsOf(promotion), attempt });
        deps.onFailure(promotion);
        await restore();
        if (isLost(error) && (attempt === 1 || empty())) await stepBack(promotion, signal); // U5
        first.resolve();
        await clock.sleep(backOff({ attempt, jitter: random.next() }, defaultRetryPolicy), signal); // U2
      }
    }
    first.resolve();
  }

  /** Serves the latest promotion before a lost one that loads. Nothing is remembered: it was not promoted. */
  async function stepBack(lost: Promotion, signal: AbortSignal): Promise<void> {
    const tried = new Set([lost.run_id]);
    try {
      for await (const earlier of before(lost)) {
        const served = slot.current()?.promotion.epoch ?? 0;
        if (signal.aborted || earlier.epoch <= served || tried.size > MOST_STEPS_BACK) return;
        if (tried.has(earlier.run_id)) continue;
        tried.add(earlier.run_id);
        if (!(await installEarlier(earlier, signal))) continue;
        return log.error("promotion_step_back", null, {
          ...idsOf(earlier),
          lost_epoch: lost.epoch,
          lost_run_id: lost.run_id,
          hint: "the run or the files of the champion are gone: promote another run, or roll back",
        });
      }
    } catch (error) {
      log.error("promotion_model_load_fail", error, { ...idsOf(lost), source: "history" });
    }
  }

  /** @returns false for one that is lost, too */
  async function installEarlier(earlier: Promotion, signal: AbortSignal): Promise<boolean> {
    try {
      return await install(earlier, "history", () => !signal.aborted);
    } catch (error) {
      if (isLost(error)) return false;
      throw error;
    }
  }

  /** Loads a model and puts it into the slot, if it is still wanted when it is ready (U1, U3). */
  async function install(promotion: Promotion, source: string, wanted: () => boolean): Promise<boolean> {
    const begun = clock.monotonicMs();
    const model = await load(promotion);
    if (!wanted()) {
      await model.close();
      return false;
    }
    slot.switchTo({ promotion, model });
    deps.onSwitch(promotion);
    const durationMs = Math.round(clock.monotonicMs() - begun);
    log.info("promotion_model_loaded", { ...idsOf(promotion), source, durationMs });
    return true;
  }

  /** A champion that cannot be remembered is served all the same. */
  async function remember(promotion: Promotion): Promise<void> {
    try {
      await memory.remember(promotion);
    } catch (error) {
      log.error("model_cache_fail", error, idsOf(promotion));
    }
  }

  const empty = (): boolean => slot.current() === null && !stopped;

  async function restoreOnce(): Promise<void> {
    if (!empty()) return;
    const promotion = await memory.recall();
    if (promotion === null) return;
    try {
      await install(promotion, "cache", empty);
    } catch (error) {
      log.error("promotion_model_load_fail", error, { ...idsOf(promotion), source: "cache" });
    }
  }

  /** The cache does not mend itself: a second try would find what the first one found. */
  const restore = (): Promise<void> => {
    restored ??= track(restoreOnce());
    return restored;
  };

  return {
    async pursue(promotion) {
      if (latest?.promotion.promotion_id === promotion.promotion_id) return latest.first.promise;
      latest?.abort.abort(); // U3
      latest = null;
      if (slot.current()?.promotion.promotion_id === promotion.promotion_id)
        return log.info("promotion_model_already_active", idsOf(promotion));
      latest = { promotion, abort: new AbortController(), first: Promise.withResolvers() };
      void track(chase(latest));
      return latest.first.promise;
    },
    restore,
    settled: async () => latest?.first.promise,
    isBehind: () =>
      latest !== null && slot.current()?.promotion.promotion_id !== latest.promotion.promotion_id,
    async stop() {
      stopped = true;
      latest?.abort.abort();
      await Promise.all(running);
    },
  };
}

/** Promotions of other runs that are tried in a lost one's place: housekeeping keeps the files of as many. */
const MOST_STEPS_BACK = 20;

/** What time does not mend. */
const isLost = (error: unknown): boolean =>
  hasCode(error, "RUN_MISSING", "ARTIFACT_INVALID", "MODEL_UNKNOWN");

const idsOf = ({ run_id, model_type, config_hash, epoch }: Promotion) => ({
  run_id,
  model_type,
  config_hash,
  epoch,
});
