import { expect, it } from "vitest";
import { historyOf } from "../../src/predict/history.ts";
import { readRows } from "../../src/predict/rows.ts";
import { constantModel, rowsOf } from "../fakes.ts";

const model = constantModel(1, { inputColumns: ["up", "down"], window: 3 });
const rows = (data: unknown) => readRows(data, null);

it("gives the model's columns in the model's order, without those it does not know", () => {
  const { table } = historyOf(rows({ ...rowsOf(3), extra: [1, 2, 3] }), model, 3);
  expect(table.columns).toEqual(["up", "down"]);
});

it("counts the cells that came without a value, in the model's columns", () => {
  const data = { ...rowsOf(3), up: [null, 1, null], extra: [null, null, null] };
  expect(historyOf(rows(data), model, 3).imputed).toBe(2);
});

it.each([
  [
    "absent columns, sorted",
    { ts: rowsOf(1)["ts"], value: [1] },
    "Missing required feature columns: down, up",
  ],
  [
    "fewer rows than the window",
    rowsOf(2),
    "Insufficient rows: the model needs 3 rows of history, the request has 2",
  ],
  [
    "times a century off",
    { ...rowsOf(3), ts: ["2018-02-06", "2018-02-07", "2118-02-06"] },
    "Column 'ts' lies decades away from the training data (2018-01-01 00:00:00 to 2018-02-01 00:00:00): 2118-02-06 00:00:00",
  ],
  [
    "times of long ago",
    { ...rowsOf(3), ts: ["1918-02-06", "2018-02-07", "2018-02-08"] },
    "2018-02-01 00:00:00): 1918-02-06 00:00:00",
  ],
  ["no rows and no cached frame", null, "No cached dataframe available and no data provided"],
])("refuses %s", (_name, data, detail) => {
  expect(() => historyOf(data === null ? null : rows(data), model, 3)).toThrow(detail);
});
