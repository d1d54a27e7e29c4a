import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fitColumn, scalerKind } from "../../src/scaler/fit.ts";
import { quantileOfSorted, sortedPresent } from "../../src/scaler/quantile.ts";
import { type ColumnScaling, scaleValues, unscaleValues } from "../../src/scaler/scaling.ts";

/** scikit-learn's answers; how they were made is in tools/fixtures/forecasting_twins.py. */
interface Twins {
  readonly cases: readonly {
    scaler: string;
    column: string;
    values: (number | null)[];
    transformed: (number | null)[];
    unseen: number[];
    unseen_transformed: number[];
    inverse_of_unseen: number[];
  }[];
  readonly quantiles: { values: number[]; expect: Record<string, number> };
}
interface Tensor {
  readonly data: string;
}
interface Reference {
  readonly real: {
    columns: string[];
    cases: { scaler: string; params: Record<string, number[]>; transformed: Tensor; inverse: Tensor }[];
  };
  readonly small: readonly {
    scaler: string;
    column: string;
    values: number[];
    params: Record<string, number>;
    transformed: number[];
    unseen: number[];
    unseen_transformed: number[];
    inverse_of_transformed: number[];
  }[];
  readonly quantiles: { values: number[]; expect: Record<string, number> };
}

const floats = (values: readonly (number | null)[]) =>
  Float64Array.from(values, (value) => value ?? Number.NaN);
const decode = ({ data }: Tensor) => new Float64Array(new Uint8Array(Buffer.from(data, "base64")).buffer);

/** The largest difference, in units of what is allowed: 1e-12 relative, 1e-15 absolute near 0. */
function worst(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  const differences = Array.from(actual, (got, index) => {
    const want = expected[index] ?? Number.NaN;
    if (Number.isNaN(want) || Number.isNaN(got)) return Object.is(want, got) ? 0 : Number.POSITIVE_INFINITY;
    return Math.abs(got - want) / (1e-15 + 1e-12 * Math.abs(want));
  });
  return Math.max(0, ...differences);
}

const twins: Twins = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures/scaler-twins.json"), "utf8"),
);

test.each(twins.cases)("$scaler scales '$column' as scikit-learn does", (twin) => {
  const values = floats(twin.values);
  const scaling = fitColumn(scalerKind(twin.scaler), twin.column, values);
  expect(worst(scaleValues(scaling, values), floats(twin.transformed))).toBeLessThanOrEqual(1);
  expect(
    worst(scaleValues(scaling, floats(twin.unseen)), floats(twin.unseen_transformed)),
  ).toBeLessThanOrEqual(1);
  expect(
    worst(unscaleValues(scaling, floats(twin.unseen)), floats(twin.inverse_of_unseen)),
  ).toBeLessThanOrEqual(1);
});

test("quantiles interpolate linearly, as NumPy's do", () => {
  const sorted = sortedPresent(floats(twins.quantiles.values));
  for (const [q, expected] of Object.entries(twins.quantiles.expect)) {
    expect(quantileOfSorted(sorted, Number(q))).toBe(expected);
  }
});

const fixtures = process.env["FLTS_FIXTURES_DIR"] ?? "";
const dataset = process.env["FLTS_DATASET_DIR"] ?? "";
const path = join(fixtures, "scaler_cases.json");
const reference: Reference | undefined =
  fixtures !== "" && existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;

/** Where scikit-learn keeps our four numbers. */
const parameters: Record<string, Partial<Record<keyof ColumnScaling, string>>> = {
  MinMaxScaler: { scale: "scale", shift: "min" },
  StandardScaler: { center: "mean", divisor: "scale" },
  RobustScaler: { center: "center", divisor: "scale" },
  MaxAbsScaler: { divisor: "scale" },
};

test.skipIf(reference === undefined)("scaler_cases.json, small (needs FLTS_FIXTURES_DIR)", () => {
  for (const golden of reference?.small ?? []) {
    const values = floats(golden.values);
    const scaling = fitColumn(scalerKind(golden.scaler), golden.column, values);
    for (const [ours, theirs] of Object.entries(parameters[golden.scaler] ?? {})) {
      expect(
        worst([Number(scaling[ours as keyof ColumnScaling])], [golden.params[theirs] ?? Number.NaN]),
      ).toBeLessThanOrEqual(1);
    }
    expect(worst(scaleValues(scaling, values), golden.transformed)).toBeLessThanOrEqual(1);
    expect(worst(scaleValues(scaling, floats(golden.unseen)), golden.unseen_transformed)).toBeLessThanOrEqual(
      1,
    );
    expect(
      worst(unscaleValues(scaling, scaleValues(scaling, values)), golden.inverse_of_transformed),
    ).toBeLessThanOrEqual(1);
  }
});

test.skipIf(reference === undefined || dataset === "")(
  "scaler_cases.json, real columns (needs FLTS_FIXTURES_DIR and FLTS_DATASET_DIR)",
  () => {
    const columns = readColumns(join(dataset, "PobleSec.csv"));
    const names = reference?.real.columns ?? [];
    for (const golden of reference?.real.cases ?? []) {
      const transformed = decode(golden.transformed);
      const inverse = decode(golden.inverse);
      for (const [offset, name] of names.entries()) {
        const values = columns(name);
        const scaling = fitColumn(scalerKind(golden.scaler), name, values);
        const rows = (matrix: Float64Array) => matrix.filter((_, index) => index % names.length === offset);
        expect(worst(scaleValues(scaling, values.subarray(0, 20)), rows(transformed))).toBeLessThanOrEqual(1);
        expect(worst(unscaleValues(scaling, rows(transformed)), rows(inverse))).toBeLessThanOrEqual(1);
      }
    }
  },
);

/** Columns of a station file with missing cells filled by the mean, and two columns the fixture adds. */
function readColumns(file: string): (name: string) => Float64Array {
  const lines = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  const header = lines.shift() ?? [];
  return (name) => {
    if (name === "constant" || name === "zero")
      return new Float64Array(lines.length).fill(name === "zero" ? 0 : 7.5);
    const cells = lines.map((line) => line[header.indexOf(name)] ?? "");
    const present = cells.filter((cell) => cell !== "").map(Number);
    const mean = present.reduce((sum, value) => sum + value, 0) / present.length;
    return Float64Array.from(cells, (cell) => (cell === "" ? mean : Number(cell)));
  };
}
