import { fitScaling } from "@flts/common/scaler/fit";
import { applyScaling, invertScaling, scalerKinds } from "@flts/common/scaler/scaling";
import { expect, test } from "vitest";
import { isNonNegative } from "../src/non-negative.ts";

test("zeros and more are not negative, missing cells aside; anything below is", () => {
  expect(isNonNegative(Float64Array.of(0, 5, Number.NaN))).toBe(true);
  expect(isNonNegative(Float64Array.of(-0.001, 5))).toBe(false);
  expect(isNonNegative(Float64Array.of(-1e-30))).toBe(false);
  expect(isNonNegative(new Float64Array())).toBe(true);
});

test.each(scalerKinds)("traffic scaled by %s and back is not taken for a signed quantity", (kind) => {
  const traffic = Float64Array.from({ length: 500 }, (_, row) => (row % 7 === 0 ? 0 : Math.exp(row / 23)));
  const scaling = fitScaling(kind, ["up"], [traffic]);
  const [back = traffic] = invertScaling(scaling, ["up"], applyScaling(scaling, ["up"], [traffic]));
  expect(isNonNegative(back)).toBe(true);
});
