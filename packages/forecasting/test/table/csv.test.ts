import { codeOf } from "@flts/common/contracts/errors";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCsvReader, readCsv } from "../../src/table/csv.ts";
import { columnOf } from "../../src/table/table.ts";
import { formatTimestamp } from "../../src/table/timestamp.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const read = (text: string, district?: string) => readCsv(bytesOf(text), { file: "Station.csv", district });
const faultOf = (action: () => unknown) => {
  try {
    action();
    return "none";
  } catch (error) {
    return codeOf(error);
  }
};
const numbers = (table: { values: readonly Float64Array[] }) => table.values.map((column) => [...column]);

describe("readCsv reads", () => {
  test("times, columns in order of the header, and missing cells as NaN", () => {
    const table = read(
      "time,down,up\n2018-02-05 23:40:00,1.5,2\n2018-02-05 23:42:00,,nan\n2018-02-05 23:44:00,NaN,NA\n",
    );
    expect(table.columns).toEqual(["down", "up"]);
    expect(numbers(table)).toEqual([
      [1.5, Number.NaN, Number.NaN],
      [2, Number.NaN, Number.NaN],
    ]);
    expect([...table.timesMs]).toEqual([0, 2, 4].map((minutes) => Date.UTC(2018, 1, 5, 23, 40 + minutes)));
  });

  test("a header whose time stands in the middle", () => {
    const table = read("down,time,up\n1,2018-02-05 23:40:00,2\n");
    expect(table.columns).toEqual(["down", "up"]);
    expect(numbers(table)).toEqual([[1], [2]]);
  });

  test("Windows line ends, a byte order mark, blank lines and a last line without an end", () => {
    const table = read("\uFEFFtime,down\r\n2018-01-01 00:00:00,1\r\n\r\n2018-01-01 00:02:00,2");
    expect(numbers(table)).toEqual([[1, 2]]);
  });

  test("quoted cells, doubled quotes and line ends inside quotes", () => {
    const table = read('time,"a ""b"", c","d\ne"\n"2018-01-01 00:00:00","1",2\n2018-01-01 00:02:00,3,"4"\n');
    expect(table.columns).toEqual(['a "b", c', "d\ne"]);
    expect(numbers(table)).toEqual([
      [1, 3],
      [2, 4],
    ]);
  });

  test("numbers with exponents, signs, blanks around them and a bare point, rounded correctly", () => {
    const table = read("time,a,b,c,d\n2018-01-01,1e-7, -2.5 ,+.5,0.1234567890123456789\n");
    expect(numbers(table)).toEqual([[1e-7], [-2.5], [0.5], [0.12345678901234568]]);
  });

  test("a header in Latin-1 as well as one in UTF-8", () => {
    const latin = Uint8Array.from("time,caf\u00e9\n2018-01-01 00:00:00,1\n", (letter) =>
      letter.charCodeAt(0),
    );
    expect(readCsv(latin, { file: "x.csv" }).columns).toEqual(["café"]);
    expect(read("time,café\n2018-01-01 00:00:00,1\n").columns).toEqual(["café"]);
  });

  test("only the rows of the district asked for, and drops that column", () => {
    const text = "time,District,down\n2018-01-01,A,1\n2018-01-01,B,2\n2018-01-02,A,3\n";
    const table = read(text, "A");
    expect(table.columns).toEqual(["down"]);
    expect(numbers(table)).toEqual([[1, 3]]);
    expect(numbers(read(text, "B"))).toEqual([[2]]);
  });

  test("the same table however the bytes are cut", () => {
    const text =
      'time,down,"u p"\r\n2018-02-05 23:40:00,1.5,"2"\r\n2018-02-05 23:42:00,,3\n2018-02-05 23:44:00,7,"8"';
    const whole = read(text);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (sizes) => {
        const bytes = bytesOf(text);
        const reader = createCsvReader({ file: "x.csv" });
        for (let offset = 0, turn = 0; offset < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          reader.push(bytes.subarray(offset, offset + size));
          offset += size;
        }
        expect(reader.finish()).toEqual(whole);
      }),
    );
  });

  test("every finite number as it was printed", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noDefaultInfinity: true, noNaN: true }), { minLength: 1, maxLength: 50 }),
        (values) => {
          const rows = values.map((value, row) => `${formatTimestamp(row * 120_000)},${value}`);
          const parsed = columnOf(read(`time,x\n${rows.join("\n")}\n`), "x");
          expect([...parsed]).toEqual(values.map((value) => (value === 0 ? Number(String(value)) : value)));
        },
      ),
    );
  });

  test("pieces without forgetting the order of times between them", () => {
    const reader = createCsvReader({ file: "x.csv" });
    expect(reader.take()).toBeUndefined();
    reader.push(bytesOf("time,a\n2018-01-02,1\n"));
    expect(reader.take()?.timesMs.length).toBe(1);
    expect(reader.take()?.timesMs.length).toBe(0);
    expect(() => reader.push(bytesOf("2018-01-01,2\n"))).toThrow(/sort the rows/);
  });
});

describe("readCsv refuses, with one line that says where and what to do,", () => {
  const row = "2018-01-01 00:00:00,1,2\n";
  const cases: readonly [name: string, text: string, message: string][] = [
    ["an empty file", "", "Station.csv: the file is empty"],
    ["a header without rows", "time,a,b\n", "Station.csv: a header and no rows"],
    [
      "a header without time",
      "ts,a\n1,2\n",
      "Station.csv, line 1: No column labeled 'time'; the header has ts, a",
    ],
    ["a header of time alone", "time\n2018-01-01\n", "line 1: no columns beside 'time'"],
    ["a column named twice", "time,a,a\n", "line 1: column 'a' appears twice"],
    ["a column without name", "time,a,\n", "line 1: column 3 of the header has no name"],
    [
      "text in a number column",
      `time,a,b\n${row}2018-01-01 00:02:00,1,many\n`,
      "line 3, column 'b': \"many\" is not",
    ],
    [
      "a hexadecimal number",
      "time,a,b\n2018-01-01,0x1f,1\n",
      "line 2, column 'a': \"0x1f\" is not a finite number",
    ],
    ["infinity", "time,a,b\n2018-01-01,1,inf\n", "line 2, column 'b': \"inf\" is not a finite number"],
    ["a number too large", "time,a,b\n2018-01-01,1,1e999\n", "line 2, column 'b': \"1e999\" is not a finite"],
    [
      "an impossible date",
      "time,a,b\n2018-02-30 00:00:00,1,2\n",
      "line 2, column 'time': \"2018-02-30 00:00:00\" is no",
    ],
    ["an impossible hour", "time,a,b\n2018-02-28 24:00:00,1,2\n", "line 2, column 'time'"],
    ["no date at all", "time,a,b\n,1,2\n", "line 2, column 'time': an empty cell is no date and time"],
    [
      "a time that appears twice",
      `time,a,b\n${row}${row}`,
      "line 3, column 'time': 2018-01-01 00:00:00 appears twice",
    ],
    [
      "unsorted times",
      `time,a,b\n${row}2017-01-01,1,2\n`,
      "line 3, column 'time': 2017-01-01 00:00:00 comes after",
    ],
    [
      "a short row",
      `time,a,b\n${row}2018-01-02,1\n`,
      "line 3: the row is too short: 2 cells where the header names 3",
    ],
    ["a long row", `time,a,b\n${row}2018-01-02,1,2,3\n`, "line 3: the row is too long: 4 cells"],
    ["an open quote", `time,a,b\n${row}2018-01-02,"1,2\n`, "line 3: a quote is opened and never closed"],
    ["binary data", "\u0000\u0001\u0002\n", "Station.csv: binary data"],
    ["binary data after the header", "time,a\n2018-01-01,\u0000\u0000\n", "line 2, column 'a': binary data"],
    ["a line without end", `time,a\n${"x".repeat(1_100_000)}`, "a line of more than 1048576 bytes"],
  ];
  test.each(cases)("%s", (_, text, message) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: "CSV_INVALID" }));
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).toThrow(/^[^\n]*$/);
  });

  test("UTF-16", () => {
    const bytes = Uint8Array.of(0xff, 0xfe, 0x74, 0, 0x0a, 0);
    expect(() => readCsv(bytes, { file: "x.csv" })).toThrow("x.csv: the file is UTF-16");
  });

  test("the line number of a fault after a quoted line end", () => {
    expect(() => read('time,"a\nb"\n2018-01-01,1\n2018-01-02,x\n')).toThrow("line 4");
  });

  test("a district that no row has, and one in a file without districts", () => {
    expect(() => read("time,District,a\n2018-01-01,A,1\n", "C")).toThrow(
      "no row of district 'C'; the file has A",
    );
    expect(() => read("time,a\n2018-01-01,1\n", "C")).toThrow("No column labeled 'District'");
  });

  test("several districts at once, saying that one must be chosen", () => {
    expect(() => read("time,District,a\n2018-01-01,A,1\n2018-01-01,B,1\n")).toThrow("choose one");
  });

  test("any bytes: with CSV_INVALID or not at all", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
        const head = bytesOf("time,a\n2018-01-01 00:00:00,1\n");
        expect(["CSV_INVALID", "none"]).toContain(
          faultOf(() => readCsv(Uint8Array.of(...head, ...tail), { file: "x.csv" })),
        );
      }),
    );
  });
});
