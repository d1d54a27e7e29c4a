import { expect, test } from "vitest";
import { tagFilter } from "../../src/mlflow/tag-filter.ts";

test("every tag is compared, in quotes that its value does not hold", () => {
  expect(tagFilter({ work_key: "0af3", "any text": "it's" })).toBe(
    "tags.`work_key` = '0af3' and tags.`any text` = \"it's\"",
  );
});

test.each([`both ' and "`, "back\\slash"])("%s cannot be quoted and is left to the caller", (value) => {
  expect(tagFilter({ a: value, b: "1" })).toBe("tags.`b` = '1'");
});

test("a name that ends its quotes is left to the caller", () => {
  expect(tagFilter({ "a` = '1' or tags.`b": "2" })).toBe("");
});
