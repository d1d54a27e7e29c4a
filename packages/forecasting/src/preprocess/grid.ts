import type { Table } from "../table/table.ts";

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

/** Times must not fall; their array is written over. */
export function reportGrid(timesMs: Float64Array): GridReport {
  const differences = sortedDifferences(timesMs);
  const stepMs = modeOf(differences);
  let gaps = 0;
  let missingRows = 0;
  let duplicates = 0;
  let regular = 0;
  for (const difference of differences) {
    if (difference === 0) duplicates++;
    if (difference === stepMs) regular++;
    if (difference <= stepMs || Number.isNaN(stepMs)) continue;
    gaps++;
    missingRows += Math.max(1, Math.round(difference / stepMs) - 1);
  }
  const irregularShare = differences.length === 0 ? 0 : (differences.length - regular) / differences.length;
  return { stepMs, gaps, missingRows, duplicates, irregularShare };
}

/** The most frequent positive difference of neighbouring times, the smallest of several; NaN where there is none. The array is written over. */
export const modalStep = (timesMs: Float64Array): number => modeOf(sortedDifferences(timesMs));

/** The step of a table's grid. NaN below two rows. */
export const stepOf = (table: Table): number => modalStep(table.timesMs.slice());

/** Sorted rather than counted in a map: times without any grid have as many differences as rows. */
function sortedDifferences(timesMs: Float64Array): Float64Array {
  const count = Math.max(0, timesMs.length - 1);
  for (let row = 0; row < count; row++) timesMs[row] = timesMs[row + 1]! - timesMs[row]!;
  // oxlint-disable-next-line unicorn/no-array-sort -- in place: a copy of a column may be 80 MB
  return timesMs.subarray(0, count).sort();
}

function modeOf(sorted: Float64Array): number {
  let mode = Number.NaN;
  let longest = 0;
  for (let start = 0; start < sorted.length; ) {
    const value = sorted[start]!;
    let end = start + 1;
    while (sorted[end] === value) end++;
    if (value > 0 && end - start > longest) {
      mode = value;
      longest = end - start;
    }
    start = end;
  }
  return mode;
}
