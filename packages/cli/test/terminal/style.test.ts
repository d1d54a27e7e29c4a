import { createStyle, pad, screenOf, widthOf } from "@flts/cli/terminal/style";
import { expect, test } from "vitest";

const terminal = { isTTY: true, columns: 120 };

test("a terminal is live and has colour", () => {
  expect(screenOf(terminal, {})).toEqual({ live: true, colour: true, width: 120 });
});

test("a pipe is neither, and takes lines of a hundred columns", () => {
  expect(screenOf({}, {})).toEqual({ live: false, colour: false, width: 100 });
});

test("NO_COLOR takes the colour and leaves the rest; an empty one says nothing", () => {
  expect(screenOf(terminal, { NO_COLOR: "1" })).toEqual({ live: true, colour: false, width: 120 });
  expect(screenOf(terminal, { NO_COLOR: "" }).colour).toBe(true);
});

test("a dumb terminal is treated as a pipe", () => {
  expect(screenOf(terminal, { TERM: "dumb" })).toEqual({ live: false, colour: false, width: 120 });
});

test("text has its width without its colour, and is padded to it", () => {
  const { good } = createStyle(true);
  expect(good("ok")).not.toBe("ok");
  expect(widthOf(good("ok"))).toBe(2);
  expect(widthOf(pad(good("ok"), 5))).toBe(5);
  expect(pad("7", 3, "left")).toBe("  7");
});

test("without colour every style is the text itself", () => {
  const style = createStyle(false);
  expect(Object.values(style).map((paint) => (paint as (text: string) => string)("x"))).toEqual(
    Array.from({ length: 6 }, () => "x"),
  );
});
