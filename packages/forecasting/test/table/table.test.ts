import { expect, test } from "vitest";
import {
  appendColumns,
  columnOf,
  concatRows,
  createTable,
  mapColumns,
  rowCount,
  selectColumns,
  sliceRows,
  takeRows,
  toMatrix,
} from "../../src/table/table.ts";

const table = createTable(
  Float64Array.of(0, 1, 2),
  ["a", "b"],
  [Float64Array.of(1, 2, 3), Float64Array.of(4, 5, 6)],
);

test("a table whose names and columns do not fit is refused", () => {
  const times = Float64Array.of(0);
  const column = Float64Array.of(1);
  expect(() => createTable(times, ["a"], [])).toThrow(expect.objectContaining({ code: "TABLE_INVALID" }));
  expect(() => createTable(times, ["a", "a"], [column, column])).toThrow("column names must differ");
  expect(() => createTable(times, ["a"], [new Float64Array(2)])).toThrow("column 'a' has 2 rows");
});

test("a column is found by name, and a missing one says what there is", () => {
  expect([...columnOf(table, "b")]).toEqual([4, 5, 6]);
  expect(() => columnOf(table, "c")).toThrow("no column 'c'; the table has a, b");
});

test("rows are sliced, taken in any order and joined", () => {
  expect(rowCount(sliceRows(table, 1))).toBe(2);
  expect(toMatrix(sliceRows(table, 1, 2))).toEqual(Float64Array.of(2, 5));
  expect(toMatrix(takeRows(table, [2, 0]))).toEqual(Float64Array.of(3, 6, 1, 4));
  expect(concatRows(sliceRows(table, 0, 1), sliceRows(table, 1))).toEqual(table);
  expect(() => concatRows(table, selectColumns(table, ["b", "a"]))).toThrow("different columns");
});

test("columns are chosen, mapped, appended and laid out row by row", () => {
  expect(toMatrix(table, ["b", "a"])).toEqual(Float64Array.of(4, 1, 5, 2, 6, 3));
  expect(selectColumns(table, ["b"]).columns).toEqual(["b"]);
  const doubled = mapColumns(table, (values) => values.map((value) => value * 2));
  expect(toMatrix(doubled)).toEqual(Float64Array.of(2, 8, 4, 10, 6, 12));
  expect(appendColumns(table, ["c"], [Float64Array.of(7, 8, 9)]).columns).toEqual(["a", "b", "c"]);
  expect(() => appendColumns(table, ["a"], [Float64Array.of(7, 8, 9)])).toThrow("must differ");
});
