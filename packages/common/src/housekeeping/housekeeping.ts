import { buckets } from "../contracts/layout.ts";
import type { Clock } from "../ports/clock.ts";
import { setting } from "../service/config.ts";
import type { Logger } from "../service/logger.ts";
import { EVENT_RETENTION_MS } from "../stage/topics.ts";
import { collectGarbage, type GarbageDeps } from "./collect-garbage.ts";
import { compactLogs } from "./compact-logs.ts";
import { promotionLedgers } from "./promotion-ledgers.ts";
import { reconcile } from "./reconcile.ts";
import { type Repetition, repeat } from "./repeat.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Whoever has just moved a head has published its event by then. */
const SETTLE_MS = 30_000;

/** Settings of the service that keeps the house, and of `flts gc`. */
export const housekeepingSettings = {
  /** Between two rounds of housekeeping. */
  GC_INTERVAL_MS: setting.int(DAY_MS, { min: 60_000 }),
  /** Nothing younger goes: longer than events are kept. */
  GC_GRACE_MS: setting.int(EVENT_RETENTION_MS + DAY_MS, { min: EVENT_RETENTION_MS + 1 }),
  /** So many promotions of each station keep what they refer to, for rolling back. */
  GC_KEEP_EPOCHS: setting.int(20, { min: 1 }),
  INFERENCE_LOG_BUCKET: setting.text(buckets.inferenceLogs),
};

export interface HousekeepingDeps extends GarbageDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logsBucket: string;
}

export interface HousekeepingConfig {
  readonly GC_INTERVAL_MS: number;
  readonly GC_GRACE_MS: number;
  readonly GC_KEEP_EPOCHS: number;
}

/** Keeps the house from now on: promotions that nobody was told of, garbage, and inference logs of past days. A round that fails is a line in the log, and the next one tries again. */
export function startHousekeeping(deps: HousekeepingDeps, config: HousekeepingConfig): Repetition {
  const { clock, logger, store, logsBucket } = deps;
  const policy = { keepEpochs: config.GC_KEEP_EPOCHS, graceMs: config.GC_GRACE_MS, dryRun: false };
  const onError = (error: unknown): void => logger.error("housekeeping_fail", error);
  const looks = { log: deps.log, clock, settleMs: SETTLE_MS };
  return repeat({ clock, everyMs: config.GC_INTERVAL_MS, onError }, async (signal) => {
    for (const id of await reconcile(promotionLedgers(deps), { ...looks, signal }))
      logger.info("event_republished", { promotion_id: id });
    const { swept, kept } = await collectGarbage(deps, policy, signal);
    const bytes = swept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    logger.info("garbage_collected", { swept: swept.length, bytes, kept });
    for (const { key, parts, lines } of await compactLogs(store, logsBucket, dayOf(clock.now()), signal))
      logger.info("inference_log_compacted", { bucket: logsBucket, object_key: key, parts, lines });
  });
}

/** `YYYYMMDD`, UTC. */
export const dayOf = (timeMs: number): string =>
  new Date(timeMs).toISOString().slice(0, 10).replaceAll("-", "");
