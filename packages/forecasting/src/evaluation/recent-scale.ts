import { quantileOfSorted } from "@flts/common/scaler/quantile";

/** Where a target stands when it is forecast. Raw units. */
export interface LastStanding {
  /** The last value known; NaN where history has none. */
  readonly last: number;
  /** How far it has moved from row to row of late; above 0. */
  readonly scale: number;
}

/** What stands in for a scale that recent values cannot tell. Raw units. */
export interface ScaleLimits {
  /** No scale is smaller: a target that stood still for a while may yet move. */
  readonly floor: number;
  /** The scale where history is too short or too full of holes to say. */
  readonly typical: number;
}

const FLOOR_SHARE = 0.01;

/** Where a target stood at each of `origins`, with the limits that hold for it: the floor is a share of its usual size, the typical scale its median. */
export function standingsAt(
  column: Float64Array,
  origins: Int32Array,
  window: number,
  actual: Float64Array,
): { readonly limits: ScaleLimits; readonly standings: readonly LastStanding[] } {
  const floor = FLOOR_SHARE * quantileOfSorted(actual.map(Math.abs).toSorted(), 0.5);
  const recents = Array.from(origins, (origin) => recentOf(column, origin, window));
  const known = Float64Array.from(recents, ({ change }) => change)
    .filter((change) => !Number.isNaN(change))
    .toSorted();
  const typical = known.length === 0 ? floor : Math.max(quantileOfSorted(known, 0.5), floor);
  const limits = { floor, typical };
  return { limits, standings: recents.map((recent) => standingOf(recent, limits)) };
}

/** A target's standing at row `end` of its values. */
export function standingAt(
  values: Float64Array,
  end: number,
  window: number,
  limits: ScaleLimits,
): LastStanding {
  return standingOf(recentOf(values, end, window), limits);
}

interface Recent {
  readonly last: number;
  readonly change: number;
}

/** The last value, and the mean absolute change from row to row, over the last `window` rows up to `end`; NaN where there is none. */
function recentOf(values: Float64Array, end: number, window: number): Recent {
  let last = Number.NaN;
  let sum = 0;
  let count = 0;
  for (let row = Math.max(0, end - window + 1); row <= end; row++) {
    const value = values[row] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    const change = Math.abs(value - values[row - 1]!);
    if (row > end - window + 1 && row > 0 && !Number.isNaN(change)) {
      sum += change;
      count++;
    }
    last = value;
  }
  return { last, change: sum / count };
}

/** The scale is never 0, so that errors can be divided by it. */
const standingOf = ({ last, change }: Recent, { floor, typical }: ScaleLimits): LastStanding => ({
  last,
  scale: Math.max(Number.isNaN(change) ? typical : change, floor, Number.MIN_VALUE ** 0.5),
});
