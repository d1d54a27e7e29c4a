import { keys } from "@flts/common/contracts/layout";
import { type Repetition, repeat } from "@flts/common/housekeeping/repeat";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Logger } from "@flts/common/service/logger";
import { EVENT_RETENTION_MS } from "@flts/common/stage/topics";
import { type LiveErrorDocument, readLiveError } from "./live-error.ts";

export interface LiveWatchDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly bucket: string;
  readonly everyMs: number;
  /** Told of each station's document when it has changed. */
  readonly onLive: (live: LiveErrorDocument) => void;
}

/** Forecasts that no truth has met by then are given up, and a table that comes again is forecast again: no message is so old. */
const KEEP_MS = EVENT_RETENTION_MS + 24 * 60 * 60 * 1000;
const SWEEP_MS = 60 * 60 * 1000;

/**
 * Looks at what is known of every station, whichever replica found it out: all show the same numbers, also one that has just started. Now and then removes
 * what nobody will ask for any more.
 */
export function watchLive({ store, clock, log, bucket, everyMs, onLive }: LiveWatchDeps): Repetition {
  const seen = new Map<string, string>();
  let sweptAt = Number.NEGATIVE_INFINITY;
  const onError = (error: unknown): void => log.error("live_error_fail", error);

  async function look(signal: AbortSignal): Promise<void> {
    for await (const { key, etag } of store.list(bucket, keys.liveErrors)) {
      signal.throwIfAborted();
      if (seen.get(key) === etag) continue;
      const { document } = await readLiveError(store, { bucket, key });
      if (document !== null) onLive(document);
      seen.set(key, etag);
    }
  }

  async function sweep(signal: AbortSignal): Promise<void> {
    for (const prefix of [keys.allKeptForecasts, keys.batchForecasts])
      for await (const { key, modifiedAt } of store.list(bucket, prefix)) {
        signal.throwIfAborted();
        if (modifiedAt < clock.now() - KEEP_MS) await store.remove({ bucket, key });
      }
  }

  return repeat({ clock, everyMs, onError }, async (signal) => {
    await look(signal);
    if (clock.monotonicMs() - sweptAt < SWEEP_MS) return;
    sweptAt = clock.monotonicMs();
    await sweep(signal);
  });
}
