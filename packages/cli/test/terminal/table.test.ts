import { createStyle } from "@flts/cli/terminal/style";
import { renderTable } from "@flts/cli/terminal/table";
import { expect, test } from "vitest";

const plain = createStyle(false);

test("columns are as wide as their widest cell and numbers stand at the right", () => {
  const lines = renderTable(
    [{ title: "family" }, { title: "rmse", align: "right" }],
    [
      ["LINEAR", "0.0123"],
      ["GRU", "0.1"],
    ],
    plain,
  );
  expect(lines).toEqual(["family    rmse", "──────────────", "LINEAR  0.0123", "GRU        0.1"]);
});

test("colour takes no room", () => {
  const vivid = createStyle(true);
  const [, , row] = renderTable([{ title: "a" }, { title: "b" }], [[vivid.good("x"), "y"]], plain);
  expect(row).toBe(`${vivid.good("x")}  y`);
});
