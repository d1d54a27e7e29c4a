import { expect, test } from "vitest";
import { interleave } from "../src/interleave.ts";

test("columns become rows, one value of each after the other", () => {
  expect(interleave([Float64Array.of(1, 2), Float64Array.of(10, 20)])).toEqual(Float64Array.of(1, 10, 2, 20));
  expect(interleave([])).toEqual(new Float64Array());
});
