import { duration, fixed, shortTime, si, signedPercent } from "@flts/cli/terminal/numbers";
import fc from "fast-check";
import { expect, test } from "vitest";

test.each([
  [134_249_000, "134 M"],
  [2_286_065_520, "2.29 G"],
  [999.6, "1000"],
  [999_960, "1 M"],
  [1_000, "1 k"],
  [0.018_39, "0.0184"],
  [0, "0"],
  [-51_200, "-51.2 k"],
  [Number.NaN, "–"],
])("%d is shown as %s", (value, shown) => {
  expect(si(value)).toBe(shown);
});

test("what is shown of a large number is the number to three digits", () => {
  const factors: Record<string, number> = { k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 };
  fc.assert(
    fc.property(fc.double({ min: 1000, max: 1e17, noNaN: true }), (value) => {
      const [digits, prefix] = si(value).split(" ");
      const shown = Number(digits) * (factors[prefix ?? ""] ?? 1);
      expect(Math.abs(shown - value) / value).toBeLessThan(0.006);
    }),
  );
});

test("a duration is in seconds until it is a minute", () => {
  expect([0.84, 9.96, 59.4, 59.6, 125].map(duration)).toEqual([
    "0.8 s",
    "10 s",
    "59 s",
    "1 min 0 s",
    "2 min 5 s",
  ]);
});

test("a number that is not there is a dash", () => {
  expect([fixed(null, 3), fixed(undefined, 3), fixed(Number.NaN, 3), fixed(1.23456, 3)]).toEqual([
    "–",
    "–",
    "–",
    "1.235",
  ]);
});

test("a share carries its sign", () => {
  expect([0.1234, -0.05, 0].map(signedPercent)).toEqual(["+12.3 %", "−5.0 %", "+0.0 %"]);
});

test("a time stamp loses its seconds only where there are none", () => {
  expect(shortTime("2018-03-05 15:16:00")).toBe("2018-03-05 15:16");
  expect(shortTime("2018-03-05T15:16:00.000Z")).toBe("2018-03-05 15:16");
  expect(shortTime("2018-03-05 15:16:30")).toBe("2018-03-05 15:16:30");
  expect(shortTime("now")).toBe("now");
});
