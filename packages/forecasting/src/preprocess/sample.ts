import { integerFrom, seededUniform } from "../random.ts";

/** The rows of a table that are used, as ascending indexes; `null` for all of them. */
export type RowChoice = Int32Array | null;

/**
 * At most `rows` of `total` rows (0 = all): the first ones or, with `random`, a seeded draw without repetition. The drawn rows stay
 * in order of time, unlike the reference's, because windows over shuffled rows mean nothing.
 */
export function sampleRows(total: number, rows: number, strategy: string, seed: number): RowChoice {
  if (rows === 0 || rows >= total) return null;
  return strategy === "random"
    ? drawSorted(total, rows, seed)
    : Int32Array.from({ length: rows }, (_, row) => row);
}

/** The chosen rows of a column, moved to the front of its own memory. */
export function pickRows(values: Float64Array, choice: RowChoice): Float64Array {
  if (choice === null) return values;
  for (let index = 0; index < choice.length; index++) values[index] = values[choice[index]!]!;
  return values.subarray(0, choice.length);
}

/** `count` different numbers below `total` in ascending order, all subsets equally likely (R. Floyd, 1987). */
function drawSorted(total: number, count: number, seed: number): Int32Array {
  const uniform = seededUniform(seed);
  const drawn = new Uint8Array(total);
  for (let top = total - count; top < total; top++) {
    const candidate = integerFrom(uniform, top + 1);
    drawn[drawn[candidate] === 1 ? top : candidate] = 1;
  }
  const rows = new Int32Array(count);
  for (let row = 0, index = 0; row < total; row++) if (drawn[row] === 1) rows[index++] = row;
  return rows;
}
