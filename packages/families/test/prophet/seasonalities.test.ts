import { expect, test } from "vitest";
import { seasonalitiesOf, seasonalitySetting } from "../../src/prophet/seasonalities.ts";

const HOUR = 3_600_000;
const series = (days: number, stepMs: number) =>
  Float64Array.from({ length: Math.floor((days * 24 * HOUR) / stepMs) + 1 }, (_, row) => row * stepMs);
const auto = { yearly: "auto", weekly: "auto", daily: "auto" } as const;
const namesOf = (...[times, settings]: Parameters<typeof seasonalitiesOf>) =>
  seasonalitiesOf(times, settings).map(({ name, order }) => `${name} ${order}`);

test.each([
  [1.9, HOUR, []],
  [2, HOUR, ["daily 4"]],
  [13.9, HOUR, ["daily 4"]],
  [14, HOUR, ["weekly 3", "daily 4"]],
  [14, 24 * HOUR, ["weekly 3"]],
  [730, 24 * HOUR, ["yearly 10", "weekly 3"]],
  [729, 24 * HOUR, ["weekly 3"]],
  [729, 7 * 24 * HOUR, []],
  [0, HOUR, []],
])("auto takes what %d days at steps of %d ms show", (days, step, expected) => {
  expect(namesOf(series(days, step), auto)).toEqual(expected);
});

test("a setting overrides what the series shows", () => {
  expect(namesOf(series(14, HOUR), { yearly: 2, weekly: 0, daily: 6 })).toEqual(["yearly 2", "daily 6"]);
});

test.each([
  ["auto", "auto"],
  ["True", 4],
  ["false", 0],
  ["12", 12],
])("DAILY_SEASONALITY=%s is %s", (text, expected) => {
  expect(seasonalitySetting("daily").parse(text)).toBe(expected);
});

test("anything else is refused with what to give instead", () => {
  expect(seasonalitySetting("daily").safeParse("often").error?.issues[0]?.message).toMatch(
    /auto, true, false/,
  );
});
