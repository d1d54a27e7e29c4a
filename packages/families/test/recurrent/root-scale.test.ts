import type { Scaling } from "@flts/common/scaler/scaling";
import { columnOf, createTable } from "@flts/forecasting/table/table";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rootTargets } from "../../src/recurrent/root-scale.ts";

const halves: Scaling = {
  kind: "none",
  columns: ["down", "up", "other"].map((column) => ({
    column,
    center: 0,
    divisor: 1,
    scale: 0.5,
    shift: 0,
  })),
};

/** Raw columns as a table of halves. */
const tableOf = (columns: Readonly<Record<string, readonly number[]>>) =>
  createTable(
    Float64Array.from(Object.values(columns)[0] ?? [], (_, row) => row * 120_000),
    Object.keys(columns),
    Object.values(columns).map((values) => Float64Array.from(values, (value) => value / 2)),
  );

const rootedWith = (last: number) => rootTargets(tableOf({ down: [1, 8, last] }), halves, ["down"], [0, 2]);

describe("targets as roots", () => {
  test("lie between 0 and 1 on the fit rows, and other columns stay as they were", () => {
    const table = tableOf({ down: [0, 1, 8, 27, 64], other: [1, 2, 3, 4, 5] });
    const { table: seen, scaling, rooted } = rootTargets(table, halves, ["down"], [0, 4]);
    expect(rooted).toEqual(["down"]);
    expect(Array.from(columnOf(seen, "down"), (value) => value * 3)).toEqual([0, 1, 2, 3, 4]);
    expect(columnOf(seen, "other")).toEqual(columnOf(table, "other"));
    expect(scaling.columns[0]).toEqual({ column: "down", center: 0, divisor: 3, scale: 1, shift: 0 });
    expect(scaling.columns.slice(1)).toEqual(halves.columns.slice(1));
  });

  test("are not made of what can be negative", () => {
    const table = tableOf({ down: [-1, 2, 3], up: [1, 2, 3] });
    const { table: seen, rooted } = rootTargets(table, halves, ["down", "up"], [0, 3]);
    expect(rooted).toEqual(["up"]);
    expect(columnOf(seen, "down")).toEqual(columnOf(table, "down"));
  });

  test("know the fit rows alone: a later burst or a later negative value changes nothing before it", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), (later) => {
        const [seen, calm] = [rootedWith(later), rootedWith(0)];
        expect(seen.scaling).toEqual(calm.scaling);
        expect(columnOf(seen.table, "down").subarray(0, 2)).toEqual(
          columnOf(calm.table, "down").subarray(0, 2),
        );
      }),
    );
  });

  test.each([
    ["constant", [8, 8, 8], [0, 0, 0]],
    ["holed", [Number.NaN, 0, 8], [Number.NaN, 0, 1]],
    ["empty", [Number.NaN, Number.NaN, Number.NaN], [Number.NaN, Number.NaN, Number.NaN]],
  ])("of a %s column are numbers where it has some", (_what, values, expected) => {
    const { table } = rootTargets(tableOf({ down: values }), halves, ["down"], [0, 3]);
    expect(Array.from(columnOf(table, "down"))).toEqual(expected);
  });
});
