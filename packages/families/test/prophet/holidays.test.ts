import { describe, expect, test } from "vitest";
import { holidaysIn } from "../../src/prophet/holidays.ts";

const days = (...dates: string[]) => dates.map((date) => Date.parse(`${date}T00:00:00Z`));
/** Two-hourly time stamps from a date, as many days as said. */
const series = (from: string, length: number) =>
  Float64Array.from({ length: length * 12 }, (_, row) => days(from)[0]! + row * 7_200_000);

describe("holidays in a series", () => {
  test("are those of the country, with their days in the years to come", async () => {
    const [holiday, ...others] = await holidaysIn("US", series("2018-02-05", 20));
    expect(others).toEqual([]);
    expect(holiday?.name).toBe("Washington's Birthday");
    expect(holiday?.days_ms.slice(0, 3)).toEqual(days("2018-02-19", "2019-02-18", "2020-02-17"));
    expect(holiday?.days_ms.at(-1)).toBe(days("2028-02-21")[0]);
  });

  test("count the region's when one is named", async () => {
    const september = series("2023-09-01", 20);
    expect(await holidaysIn("ES", september)).toEqual([]);
    const [diada] = await holidaysIn("ES-CT", september);
    expect(diada?.days_ms[0]).toBe(days("2023-09-11")[0]);
  });

  test("may last several days", async () => {
    const [eid] = await holidaysIn("SA", series("2018-06-10", 10));
    expect(eid?.days_ms.slice(0, 4)).toEqual(days("2018-06-14", "2018-06-15", "2018-06-16", "2018-06-17"));
  });

  test("are none where none fall into it, nor without a country", async () => {
    expect(await holidaysIn("US", series("2018-03-01", 20))).toEqual([]);
    expect(await holidaysIn("NONE", series("2018-12-20", 20))).toEqual([]);
    expect(await holidaysIn("US", new Float64Array())).toEqual([]);
  });

  test("are sorted by name, so that a fit does not depend on the library's order", async () => {
    const names = (await holidaysIn("US", series("2023-11-01", 90))).map(({ name }) => name);
    expect(names.length).toBeGreaterThan(3);
    expect(names).toEqual(names.toSorted((a, b) => (a < b ? -1 : 1)));
  });

  test.each([
    ["XX", /"XX".*ISO 3166.*none/],
    ["ES-XX", /ES has the regions .*CT/],
    ["MC-XX", /MC has no regions/],
  ])("%s is refused with what to give instead", async (country, message) => {
    const failing = holidaysIn(country, series("2018-01-01", 3));
    await expect(failing).rejects.toMatchObject({ code: "SETTINGS_INVALID" });
    await expect(failing).rejects.toThrow(message);
  });
});
