import { createTable, sliceRows, type Table } from "@flts/forecasting/table/table";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSpill, type Spill } from "../src/spill.ts";
import { createSpilledTable } from "../src/spilled-table.ts";

let spill: Spill;
beforeEach(() => {
  spill = openSpill({ folder: "", maxBytes: 1e7 });
});
afterEach(() => spill.close());

/** A fresh table each time: what is put into a spilled table is gone from memory. */
const numbers = (): Table =>
  createTable(
    Float64Array.of(0, 1, 2, 3, 4),
    ["a", "b"],
    [Float64Array.of(1, 2, 3, 4, 5), Float64Array.of(6, Number.NaN, 8, 9, 10)],
  );

test("rows put in blocks come back as whole columns", () => {
  const table = createSpilledTable(spill, "t");
  for (const [start, end] of [
    [0, 2],
    [2, 2],
    [2, 5],
  ])
    table.putRows(sliceCopy(start ?? 0, end ?? 0));
  expect([table.rows, table.columns]).toEqual([5, ["a", "b"]]);
  expect(table.times()).toEqual(numbers().timesMs);
  expect(table.columns.map((name) => table.column(name))).toEqual(numbers().values);
  expect(table.columns.map((name) => table.isNullable(name))).toEqual([false, true]);
});

test("columns put whole come back as rows", () => {
  const table = createSpilledTable(spill, "t");
  const { columns, values, timesMs } = numbers();
  for (const [index, name] of columns.entries()) table.putColumn(name, values[index] ?? new Float64Array());
  table.putTimes(timesMs);
  expect(table.slice(1, 4)).toEqual(sliceRows(numbers(), 1, 4));
  expect(() => table.column("c")).toThrow(expect.objectContaining({ code: "COLUMN_MISSING" }));
});

test("two tables in one spill do not mix", () => {
  const [one, other] = [createSpilledTable(spill, "one"), createSpilledTable(spill, "one/a")];
  one.putRows(sliceCopy(0, 2));
  other.putRows(sliceCopy(2, 5));
  expect(one.column("a")).toEqual(Float64Array.of(1, 2));
  expect(other.times()).toEqual(Float64Array.of(2, 3, 4));
});

function sliceCopy(start: number, end: number): Table {
  const { timesMs, columns, values } = sliceRows(numbers(), start, end);
  return { timesMs: timesMs.slice(), columns, values: values.map((column) => column.slice()) };
}
