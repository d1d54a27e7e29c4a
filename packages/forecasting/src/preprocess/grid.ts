import { rowCount, type Table } from "../table/table.ts";

/** How regular a table's time stamps are. */
export interface GridReport {
  /** The most frequent difference of neighbouring times, the smallest such; NaN below two rows. */
  readonly stepMs: number;
  /** Differences larger than the step. */
  readonly gaps: number;
  /** Rows that the gaps would hold on a regular grid. */
  readonly missingRows: number;
  readonly duplicates: number;
  /** The share of differences that are not the step. */
  readonly irregularShare: number;
}

export function reportGrid(table: Table): GridReport {
  const differences = table.timesMs.subarray(1).map((time, row) => time - table.timesMs[row]!);
  const stepMs = modalStep(differences);
  const gaps = differences.filter((difference) => difference > stepMs);
  const irregular = differences.reduce((count, difference) => count + (difference === stepMs ? 0 : 1), 0);
  return {
    stepMs,
    gaps: gaps.length,
    missingRows: gaps.reduce((sum, gap) => sum + Math.max(1, Math.round(gap / stepMs) - 1), 0),
    duplicates: differences.reduce((count, difference) => count + (difference === 0 ? 1 : 0), 0),
    irregularShare: rowCount(table) < 2 ? 0 : irregular / differences.length,
  };
}

/** The most frequent positive difference, the smallest of several; NaN of none. */
export function modalStep(differences: Float64Array): number {
  const counts = new Map<number, number>();
  for (const difference of differences) {
    if (difference > 0) counts.set(difference, (counts.get(difference) ?? 0) + 1);
  }
  let step = Number.NaN;
  let most = 0;
  for (const [difference, count] of counts) {
    if (count > most || (count === most && difference < step)) {
      step = difference;
      most = count;
    }
  }
  return step;
}

/** The step of a table's grid. NaN below two rows. */
export const stepOf = (table: Table): number => reportGrid(table).stepMs;
