import { measurementsOf, readTable } from "@flts/cli/pipeline/measurements";
import { expect, test } from "vitest";

const bytesOf = (text: string) => ({ name: "A.csv", bytes: new TextEncoder().encode(text) });
const file = bytesOf("time,down\n2018-02-05 23:40:00,1\n2018-02-05 23:42:00,\n2018-02-05 23:44:00,3\n");

test("the last rows of a column begin at their first time, and a missing cell stays missing", async () => {
  const table = await readTable(file);
  expect(measurementsOf(table, "down", 2)).toEqual({
    values: [Number.NaN, 3],
    firstTime: "2018-02-05 23:42:00",
  });
  expect(measurementsOf(table, "down", 9).values).toHaveLength(3);
});

test("a column that is not there is a fault", async () => {
  const table = await readTable(file);
  expect(() => measurementsOf(table, "up", 2)).toThrow(expect.objectContaining({ code: "COLUMN_MISSING" }));
});

test("a file that cannot be read is named", async () => {
  await expect(readTable({ name: "A.csv", path: "/nowhere/A.csv" })).rejects.toThrow(
    "cannot read /nowhere/A.csv (ENOENT)",
  );
});

test("a faulty file is told with its line and column", async () => {
  await expect(readTable(bytesOf("time,down\n2018-02-05 23:40:00,x\n"))).rejects.toMatchObject({
    code: "CSV_INVALID",
    message: expect.stringContaining("A.csv, line 2, column 'down'"),
  });
});
