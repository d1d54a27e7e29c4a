/** Bars and curves one line high, from block characters. */

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;
const heights = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;

/** A bar of `width` columns, filled to `fraction` (0 to 1) in steps of an eighth of a column. */
export function progressBar(fraction: number, width: number): string {
  const share = Number.isFinite(fraction) ? Math.min(1, Math.max(0, fraction)) : 0;
  const steps = Math.round(share * width * 8);
  const filled = "█".repeat(Math.floor(steps / 8)) + eighths[steps % 8];
  return filled + "░".repeat(width - filled.length);
}

/**
 * The last values as a curve of at most `width` columns. More values than columns are averaged in groups, so that the whole run of a
 * training stays in sight.
 */
export function sparkline(values: readonly number[], width: number): string {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0 || width < 1) return "";
  const points = finite.length <= width ? finite : averaged(finite, width);
  const low = Math.min(...points);
  const span = Math.max(...points) - low;
  return points
    .map((value) => heights[span === 0 ? 0 : Math.round(((value - low) / span) * (heights.length - 1))])
    .join("");
}

function averaged(values: readonly number[], groups: number): number[] {
  return Array.from({ length: groups }, (_, index) => {
    const start = Math.floor((index * values.length) / groups);
    const end = Math.max(start + 1, Math.floor(((index + 1) * values.length) / groups));
    return values.slice(start, end).reduce((sum, value) => sum + value, 0) / (end - start);
  });
}
