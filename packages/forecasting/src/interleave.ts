/** One `[n]` for each target as one `[n, targets]`, row-major. */
export function interleave(columns: readonly Float64Array[]): Float64Array {
  const rows = columns[0]?.length ?? 0;
  const result = new Float64Array(rows * columns.length);
  for (const [index, column] of columns.entries())
    for (let row = 0; row < rows; row++) result[row * columns.length + index] = column[row]!;
  return result;
}
