import { createLiveBlock } from "@flts/cli/terminal/live";
import { createStyle, widthOf } from "@flts/cli/terminal/style";
import { expect, test } from "vitest";

const record = (live: boolean, width = 40) => {
  const written: string[] = [];
  return { written, block: createLiveBlock((text) => written.push(text), { live, colour: live, width }) };
};

test("an update goes back over the lines of the last one", () => {
  const { written, block } = record(true);
  block.update(["one", "two"]);
  block.update(["three"]);
  expect(written).toEqual(["one\ntwo\n", "\u001B[2F\u001B[0Jthree\n"]);
});

test("what has not changed is not written again", () => {
  const { written, block } = record(true);
  block.update(["one"]);
  block.update(["one"]);
  expect(written).toHaveLength(1);
});

test("a printed line stays above the block", () => {
  const { written, block } = record(true);
  block.update(["bar"]);
  block.print("notice");
  expect(written.at(-1)).toBe("\u001B[1F\u001B[0Jnotice\nbar\n");
});

test("a pipe gets the printed lines and no block", () => {
  const { written, block } = record(false);
  block.update(["bar"]);
  block.print("notice");
  block.finish();
  expect(written).toEqual(["notice\n"]);
});

test("a line that is too long is cut without losing the end of its colour", () => {
  const { written, block } = record(true, 40);
  const { good } = createStyle(true);
  block.update([good("x".repeat(60))]);
  const [line] = (written[0] ?? "").split("\n");
  expect(widthOf(line ?? "")).toBe(40);
  expect(line).toBe(good("x".repeat(40)));
});
