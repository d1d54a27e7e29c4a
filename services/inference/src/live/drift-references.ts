import { setImmediate } from "node:timers/promises";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Logger } from "@flts/common/service/logger";
import { type ColumnReference, driftOf, referenceOf } from "@flts/forecasting/evaluation/drift";
import type { Table } from "@flts/forecasting/table/table";
import { openTable, presentTableClaim, readProcessedTable } from "../processed-table.ts";

/** How far the columns of new tables have moved from their station's training table. */
export interface DriftReferences {
  /** By column; nothing where there is no training table to compare with, or none that can be read. */
  driftOf(
    identifier: string,
    table: Table,
    columns: readonly string[],
  ): Promise<Record<string, number | null>>;
}

export interface DriftReferencesDeps {
  readonly store: ObjectStore;
  readonly log: Logger;
  readonly bucket: string;
  /** The last part of the training table's key. */
  readonly objectName: string;
  readonly maxBytes: number;
}

/** References that are kept at hand, a few kilobytes each. */
const MAX_REFERENCES = 64;

export function createDriftReferences({ store, log, ...table }: DriftReferencesDeps): DriftReferences {
  /** By the digest of the training table and the columns. */
  const known = new Map<string, readonly ColumnReference[]>();

  async function referencesOf(identifier: string, columns: readonly string[]) {
    const claim = await presentTableClaim(store, { ...table, identifier });
    const name = [claim.sha256, ...columns].join("\n");
    const found = known.get(name);
    if (found !== undefined) return found;
    const trained = await readProcessedTable(await openTable(store, claim, table));
    const references: ColumnReference[] = [];
    for (const column of columns.filter((each) => trained.columns.includes(each))) {
      references.push(...referenceOf(trained, [column]));
      await setImmediate(); // requests come in between
    }
    const [oldest] = known.keys();
    if (known.size >= MAX_REFERENCES && oldest !== undefined) known.delete(oldest);
    known.set(name, references);
    return references;
  }

  return {
    async driftOf(identifier, current, columns) {
      try {
        const drift = driftOf(await referencesOf(identifier, columns), current);
        return Object.fromEntries(drift.map(({ column, psi }) => [column, psi]));
      } catch (error) {
        // A forecast does not wait for what only tells how much to trust it.
        log.error("drift_reference_fail", error, { identifier });
        return {};
      }
    },
  };
}
