import { z } from "zod";
import { FltsError } from "../contracts/errors.ts";

/** The reference's names for its scalers, which are scikit-learn's. */
export const scalerKinds = [
  "MinMaxScaler",
  "StandardScaler",
  "RobustScaler",
  "MaxAbsScaler",
  "none",
] as const;
export type ScalerKind = (typeof scalerKinds)[number];

/**
 * How one column is scaled: `scaled = ((raw − center) / divisor) · scale + shift`, in this order of operations. Each kind of
 * scaler leaves the steps it lacks at 0 and 1, which changes no bit, so that its values are scikit-learn's bit for bit.
 */
export const columnScalingSchema = z.object({
  column: z.string(),
  center: z.number(),
  divisor: z.number(),
  scale: z.number(),
  shift: z.number(),
});
export type ColumnScaling = Readonly<z.infer<typeof columnScalingSchema>>;

/** Fitted limits of a whole table, plain JSON. Columns are found by name; their order is that of the table fitted on. */
export const scalingSchema = z.object({
  kind: z.enum(scalerKinds),
  columns: z.array(columnScalingSchema),
});
export interface Scaling {
  readonly kind: ScalerKind;
  readonly columns: readonly ColumnScaling[];
}

/** Raw values as scaled ones; NaN stays NaN. */
export function scaleValues(
  { center, divisor, scale, shift }: ColumnScaling,
  raw: Float64Array,
): Float64Array {
  return raw.map((value) => ((value - center) / divisor) * scale + shift);
}

/** Scaled values as raw ones; NaN stays NaN. */
export function unscaleValues(
  { center, divisor, scale, shift }: ColumnScaling,
  scaled: Float64Array,
): Float64Array {
  return scaled.map((value) => ((value - shift) / scale) * divisor + center);
}

/** The scaling of one column. @throws COLUMN_MISSING */
export function scalingOf(scaling: Scaling, column: string): ColumnScaling {
  const found = scaling.columns.find((entry) => entry.column === column);
  if (found === undefined) {
    const known = scaling.columns.map((entry) => entry.column).join(", ");
    throw new FltsError(
      "COLUMN_MISSING",
      `no scaling was fitted for column '${column}'; there is one for ${known}`,
    );
  }
  return found;
}

/** Columns of raw values as scaled ones, each by the scaling of its name. @throws COLUMN_MISSING */
export function applyScaling(
  scaling: Scaling,
  columns: readonly string[],
  raw: readonly Float64Array[],
): Float64Array[] {
  const entries = columns.map((column) => scalingOf(scaling, column));
  return raw.map((values, index) => scaleValues(entries[index]!, values));
}

/** The inverse of `applyScaling`. @throws COLUMN_MISSING */
export function invertScaling(
  scaling: Scaling,
  columns: readonly string[],
  scaled: readonly Float64Array[],
): Float64Array[] {
  const entries = columns.map((column) => scalingOf(scaling, column));
  return scaled.map((values, index) => unscaleValues(entries[index]!, values));
}

/** The same map in two operations, `scaled ≈ raw · scale + shift`: equal up to rounding, for graphs and for units. */
export function affineOf({ center, divisor, scale, shift }: ColumnScaling): { scale: number; shift: number } {
  return { scale: scale / divisor, shift: shift - (center / divisor) * scale };
}
