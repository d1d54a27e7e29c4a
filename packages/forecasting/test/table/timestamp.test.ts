import fc from "fast-check";
import { expect, test } from "vitest";
import { formatTimestamp, parseTimestamp } from "../../src/table/timestamp.ts";

test("a time stamp survives formatting and parsing, in both forms", () => {
  const seconds = fc.integer({ min: Date.UTC(1, 0) / 1000, max: Date.UTC(9999, 11, 31) / 1000 });
  fc.assert(
    fc.property(seconds, fc.constantFrom(" " as const, "T" as const), (second, separator) => {
      expect(parseTimestamp(formatTimestamp(second * 1000, separator))).toBe(second * 1000);
    }),
  );
});

test("dates alone, minutes, fractions and zones are read, zones converted to UTC", () => {
  expect(parseTimestamp("2018-02-05")).toBe(Date.UTC(2018, 1, 5));
  expect(parseTimestamp("2018-02-05T23:40")).toBe(Date.UTC(2018, 1, 5, 23, 40));
  expect(parseTimestamp("2018-02-05 23:40:01.250")).toBe(Date.UTC(2018, 1, 5, 23, 40, 1, 250));
  expect(parseTimestamp("2018-02-05T23:40:00Z")).toBe(Date.UTC(2018, 1, 5, 23, 40));
  expect(parseTimestamp("2018-02-05T23:40:00+01:30")).toBe(Date.UTC(2018, 1, 5, 22, 10));
  expect(parseTimestamp(" 2018-02-05 23:40:00-0100 ")).toBe(Date.UTC(2018, 1, 6, 0, 40));
  expect(parseTimestamp("2020-02-29 00:00:00")).toBe(Date.UTC(2020, 1, 29));
});

test.each([
  "",
  "2018",
  "05/02/2018",
  "2018-02-29 00:00:00",
  "2100-02-29",
  "2018-13-01",
  "2018-00-10",
  "2018-04-31",
  "2018-02-05 23:60:00",
  "2018-02-05 23:40:60",
  "2018-02-05 23:40:00+25:00",
  "2018-02-05x23:40:00",
  "2018/02/05 23:40:00",
  "2018-02-05 23-40-00",
  "2018-02-0a 23:40:00",
])("%j is no date", (text) => {
  expect(parseTimestamp(text)).toBeNaN();
});
