import { hasCode } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Random } from "@flts/common/ports/random";
import type { Logger } from "@flts/common/service/logger";
import { backOff, defaultRetryPolicy } from "@flts/common/stage/verdict";
import { rowCount, type Table } from "@flts/forecasting/table/table";
import type { Rows } from "./predict/rows.ts";
import { openTable, presentTableClaim, readProcessedTable, type TableName } from "./processed-table.ts";

/** The station's processed test table in raw units: what is forecast when a request brings no rows of its own. */
export interface CachedFrame {
  /** Null until it was read. */
  current(): Table | null;
  /** The same as the rows of a request. */
  rows(): Rows | null;
  /** Reads the present table, in the background, until that succeeds; an earlier reading under way is given up. */
  refresh(): void;
  stop(): Promise<void>;
}

export interface CachedFrameDeps extends TableName {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly maxBytes: number;
}

export function createCachedFrame(deps: CachedFrameDeps): CachedFrame {
  const { clock, random, log } = deps;
  let table: Table | null = null;
  let abort = new AbortController();
  let reading: Promise<void> = Promise.resolve();

  async function read(signal: AbortSignal): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const { table: latest, object } = await readTestTable(deps);
        if (signal.aborted) return;
        table = latest;
        log.info("preload_test_success", {
          rows: rowCount(latest),
          cols: latest.columns.length,
          object_key: object,
        });
        return;
      } catch (error) {
        if (!signal.aborted && attempt === 1) sayWhy(error);
        await clock.sleep(backOff({ attempt, jitter: random.next() }, defaultRetryPolicy), signal);
      }
    }
  }

  /** Said once, not at every look: before the first preprocessing there is no table, and that is no fault. */
  function sayWhy(error: unknown): void {
    if (hasCode(error, "OBJECT_MISSING")) log.warn("preload_test_fail", { reason: error.message });
    else log.error("preload_test_fail", error);
  }

  return {
    current: () => table,
    rows: () => (table === null ? null : { table, timeColumn: TIME_COLUMN }),
    refresh() {
      abort.abort();
      abort = new AbortController();
      const { signal } = abort;
      reading = reading.then(() => read(signal));
    },
    async stop() {
      abort.abort();
      await reading;
    },
  };
}

/** Of the files that the table was made of. */
const TIME_COLUMN = "time";

/** @throws OBJECT_MISSING, POINTER_INVALID, TABLE_INVALID, and what opening a claim throws */
async function readTestTable(deps: CachedFrameDeps): Promise<{ table: Table; object: string }> {
  const claim = await presentTableClaim(deps.store, deps);
  return { table: await readProcessedTable(await openTable(deps.store, claim, deps)), object: claim.object };
}
