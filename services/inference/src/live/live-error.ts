import { writeDocument } from "@flts/common/claim-check/documents";
import { MESSAGE_VERSION } from "@flts/common/contracts/claim";
import { stationOf } from "@flts/common/contracts/identity";
import { keys } from "@flts/common/contracts/layout";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectRef, ObjectStore } from "@flts/common/ports/object-store";
import { rowCount, type Table } from "@flts/forecasting/table/table";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import { z } from "zod";
import type { KeptForecasts } from "./kept-forecasts.ts";
import { scoredRow, scoreRows } from "./score-rows.ts";

/**
 * How wrong a station's forecasts have been of late: `_live/<station>.json`, changed by compare-and-swap.
 *
 * - L1 A row is scored once, when it first comes: rows up to `scored_until` were there before.
 * - L2 It is scored against forecasts that were kept before it came, never against one that had seen it.
 * - L3 Everything is in the store: replicas and restarts find the same numbers.
 */
export const liveErrorDocument = z.looseObject({
  v: z.literal(MESSAGE_VERSION),
  identifier: z.string(),
  /** ISO 8601, UTC: a label. */
  updated_at: z.string(),
  /** Time of the last row that has come. */
  scored_until: z.string(),
  /** Digest of the table that came last, and how many of its rows had been forecast. */
  table: z.string(),
  rows_scored: z.number().int().nonnegative(),
  /** The last rows that were scored, in order of time. */
  rows: z.array(scoredRow),
  drift: z.record(z.string(), z.number().nullable()),
});
export type LiveErrorDocument = z.infer<typeof liveErrorDocument>;

export interface LiveErrorDeps {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly clock: Clock;
  readonly kept: KeptForecasts;
  /** So many rows of a station are looked back at. */
  readonly windowRows: number;
}

/** A table that brings the truth. */
export interface Truth {
  readonly identifier: string;
  /** Raw units, risen times, at least one row. */
  readonly table: Table;
  readonly digest: string;
  readonly drift: Readonly<Record<string, number | null>>;
}

/**
 * Scores the forecasts that were made before the rows of a table. The same table again changes nothing.
 * @throws OBJECT_CONFLICT when another replica brought the same station's truth meanwhile, STORE_UNAVAILABLE
 */
export async function scoreTruth(truth: Truth, deps: LiveErrorDeps): Promise<LiveErrorDocument> {
  const { store, bucket, clock, kept } = deps;
  const { identifier, table, digest, drift } = truth;
  const ref = { bucket, key: keys.liveError(identifier) };
  const { document: before, etag } = await readLiveError(store, ref);
  if (before?.table === digest) return before;
  const after = before?.scored_until ?? null;
  const rows = scoreRows(table, await kept.read(identifier, after), after); // L1, L2
  const last = formatTimestamp(table.timesMs[rowCount(table) - 1]!, "T");
  const document: LiveErrorDocument = {
    v: MESSAGE_VERSION,
    identifier: stationOf(identifier),
    updated_at: new Date(clock.now()).toISOString(),
    scored_until: after !== null && after > last ? after : last,
    table: digest,
    rows_scored: rows.length,
    rows: [...(before?.rows ?? []), ...rows].slice(-deps.windowRows),
    drift,
  };
  await writeDocument(store, ref, document, etag === null ? { ifNoneMatch: "*" } : { ifMatch: etag });
  await kept.forget(identifier, document.scored_until);
  return document;
}

/** The station's document; null where there is none, or none that can be read: then the window begins anew. */
export async function readLiveError(
  store: ObjectStore,
  ref: ObjectRef,
): Promise<{ readonly document: LiveErrorDocument | null; readonly etag: string | null }> {
  const stored = await store.get(ref);
  if (stored === null) return { document: null, etag: null };
  try {
    const document = liveErrorDocument.parse(JSON.parse(new TextDecoder().decode(stored.bytes)));
    return { document, etag: stored.etag };
  } catch {
    return { document: null, etag: stored.etag };
  }
}
