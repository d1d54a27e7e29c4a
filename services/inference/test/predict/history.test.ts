import { createTable } from "@flts/forecasting/table/table";
import { expect, it } from "vitest";
import { historyOf } from "../../src/predict/history.ts";
import { constantModel, rowsOf } from "../fakes.ts";

const model = constantModel(1, { inputColumns: ["up", "down"], window: 3 });
const request = (data: unknown) => ({ data, indexColumn: null, steps: 1 });

it("gives the model's columns in the model's order, without those it does not know", () => {
  const { table } = historyOf(request({ ...rowsOf(3), extra: [1, 2, 3] }), model, null);
  expect(table.columns).toEqual(["up", "down"]);
});

it("counts the cells that came without a value, in the model's columns", () => {
  const data = { ...rowsOf(3), up: [null, 1, null], extra: [null, null, null] };
  expect(historyOf(request(data), model, null).imputed).toBe(2);
});

it("takes the cached frame when no rows came", () => {
  const frame = createTable(
    Float64Array.of(1, 2, 3),
    ["down", "up"],
    [new Float64Array(3), new Float64Array(3).fill(1)],
  );
  expect(historyOf(request(null), model, frame).table.values[0]).toEqual(new Float64Array(3).fill(1));
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
  ["no rows and no cached frame", null, "No cached dataframe available and no data provided"],
])("refuses %s", (_name, data, detail) => {
  expect(() => historyOf(request(data), model, null)).toThrow(detail);
});
