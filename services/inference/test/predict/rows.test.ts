import { columnOf } from "@flts/forecasting/table/table";
import { describe, expect, it } from "vitest";
import { readRows as read } from "../../src/predict/rows.ts";

const readRows = (data: unknown, indexColumn: string | null) => read(data, indexColumn).table;

const ts = ["2018-02-06 00:00:00", "2018-02-06 00:02:00"];
const at = (minute: number) => Date.UTC(2018, 1, 6, 0, minute);
const EXPECTED = "Expected unique timestamps for time-series inference.";

describe("readRows", () => {
  it("gives every column but the time stamps, missing cells as NaN", () => {
    const table = readRows({ ts, down: [1, null], extra: [3, 4] }, null);
    expect([...table.timesMs]).toEqual([at(0), at(2)]);
    expect(table.columns).toEqual(["down", "extra"]);
    expect([...columnOf(table, "down")]).toEqual([1, Number.NaN]);
  });

  it("puts unsorted rows in order of time", () => {
    const table = readRows({ ts: [ts[1], "2018-02-05 23:58:00", ts[0]], down: [3, 1, 2] }, null);
    expect([...table.timesMs]).toEqual([at(-2), at(0), at(2)]);
    expect([...columnOf(table, "down")]).toEqual([1, 2, 3]);
  });

  it.each(["ts", "timestamp", "time", "date"])("finds the time stamps in %s", (column) => {
    expect(readRows({ [column]: ts, down: [1, 2] }, null).columns).toEqual(["down"]);
  });

  it("prefers the column that the request names", () => {
    const { table, timeColumn } = read({ ts: [5, 6], when: ts }, "when");
    expect([table.columns, timeColumn]).toEqual([["ts"], "when"]);
  });

  it("falls back to the usual names when the named column is not there", () => {
    expect([...readRows({ ts, down: [1, 2] }, "when").timesMs]).toEqual([at(0), at(2)]);
  });

  it.each([
    ["2018-02-06T00:00:00", at(0)],
    ["2018-02-06 00:00", at(0)],
    ["2018-02-06", at(0)],
    ["2018-02-06T00:00:00Z", at(0)],
    ["2018-02-06T01:00:00+01:00", at(0)],
    ["2018-02-05T19:00:00-0500", at(0)],
  ])("reads %s and drops its zone", (text, timeMs) => {
    expect([...readRows({ ts: [text], down: [1] }, null).timesMs]).toEqual([timeMs]);
  });

  it("treats names that mean something to JavaScript as any other", () => {
    const data: unknown = JSON.parse('{"ts":["2018-02-06"],"__proto__":[1],"constructor":[2]}');
    expect(readRows(data, null).columns).toEqual(["__proto__", "constructor"]);
  });

  // In the order in which they are checked: each body has the faults of the later ones too.
  it.each<[string, unknown, string]>([
    ["an empty object", {}, "Request payload must include a non-empty 'data' object"],
    ["an empty list", [], "Request payload must include a non-empty 'data' object"],
    ["an empty text", "", "Request payload must include a non-empty 'data' object"],
    ["a list", [1], "'data' must be an object mapping column names to arrays"],
    ["a text", "rows", "'data' must be an object mapping column names to arrays"],
    ["a number", 7, "'data' must be an object mapping column names to arrays"],
    [
      "a cell for a column",
      { ts, down: 1 },
      `Failed to interpret 'data' payload: column "down" is not an array`,
    ],
    [
      "columns of unequal length",
      { a: [1], b: ["x", 2] },
      "Failed to interpret 'data' payload: All arrays must be of the same length",
    ],
    ["no rows", { a: [], b: [] }, "Request data must include at least one row"],
    [
      "no time stamps",
      { a: ["x"] },
      "Request must include a timestamp column (index_col or ts/time/timestamp)",
    ],
    ["text that is no time", { ts: ["soon", "x"], a: ["x", 1] }, "Column 'ts' contains invalid timestamps"],
    ["an impossible date", { ts: ["2018-02-30"] }, "Column 'ts' contains invalid timestamps"],
    ["a time that is missing", { ts: [null], a: ["x"] }, "Column 'ts' contains invalid timestamps"],
    ["a number as time", { ts: [1517875200], a: ["x"] }, "Column 'ts' contains invalid timestamps"],
    ["a time beyond pandas'", { ts: ["9999-12-31"] }, "Column 'ts' contains invalid timestamps"],
    ["a time before pandas'", { ts: ["0001-01-01"] }, "Column 'ts' contains invalid timestamps"],
    [
      "identical times",
      { ts: [ts[0], ts[0], ts[0]], a: ["x", 1, 2] },
      `All 3 timestamps are identical (2018-02-06 00:00:00). ${EXPECTED}`,
    ],
    [
      "duplicate times, unsorted",
      { ts: [ts[1], ts[0], ts[1]], a: ["x", 1, 2] },
      `Duplicate timestamps: 2018-02-06 00:02:00. ${EXPECTED}`,
    ],
    [
      "times that are equal in another zone",
      { ts: [ts[0], "2018-02-06T01:00:00+01:00", ts[1]], a: [1, 2, 3] },
      `Duplicate timestamps: 2018-02-06 00:00:00. ${EXPECTED}`,
    ],
    [
      "text in columns",
      { ts, b: ["x", 1], a: [1, "2"], c: [1, 2] },
      "Columns contain non-numeric values: b, a",
    ],
    ["truth in a column", { ts, a: [true, 1] }, "Columns contain non-numeric values: a"],
    ["lists in a column", { ts, a: [[1], 1] }, "Columns contain non-numeric values: a"],
    [
      "endless numbers",
      { ts, a: [Number.POSITIVE_INFINITY, 1] },
      "Columns contain values that are not finite: a",
    ],
    ["huge numbers", { ts, a: [1, 2], b: [-1e31, 1e300] }, "Columns contain values beyond 1e+30: b"],
  ])("refuses %s", (_name, data, detail) => {
    expect(() => readRows(data, null)).toThrow(
      expect.objectContaining({ refusal: { status: 400, detail, headers: {} } }),
    );
  });

  it("names a few of many duplicates", () => {
    const many = Array.from({ length: 12 }, (_, row) => `2018-02-06 00:0${row % 6}:00`);
    expect(() => readRows({ ts: many }, null)).toThrow(/00:00:00, .*00:01:00, .*00:02:00 and 3 more\./);
  });
});
