import { createManualClock } from "@flts/testing/manual-clock";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createModelSlot } from "../src/model/model-slot.ts";
import { createForecastPath } from "../src/predict/forecast-path.ts";
import { readRows } from "../src/predict/rows.ts";
import { constantModel, openAdmission, promotionOf, quietLog, rowsOf } from "./fakes.ts";

/** What happens, in an order that chance decides: a request, a switch, or a forecast under way that ends. */
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: "request" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "switch" as const }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("end" as const), which: fc.nat(9) }) },
);

it("answers every request by the model it names, however requests and switches interleave", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 60 }), async (happenings) => {
      const slot = createModelSlot(quietLog());
      const admission = openAdmission(createManualClock());
      const path = createForecastPath({
        borrow: () => slot.borrow(),
        cachedFrame: () => null,
        admission,
        nextRequestId: () => "id",
      });
      const underWay: (() => void)[] = [];
      let epoch = 0;
      // Each model answers its own epoch, after a while, and fails once it is closed.
      const promote = (): void => {
        epoch += 1;
        const { forecast, ...model } = constantModel(epoch);
        const slow = constantModel(epoch, {
          ...model,
          async forecast(history, steps) {
            await new Promise<void>((resolve) => underWay.push(resolve));
            return forecast(history, steps);
          },
        });
        slot.switchTo({ promotion: promotionOf(epoch), model: slow });
      };
      promote();
      const answers: ReturnType<typeof path>[] = [];
      const request = () =>
        path(() => readRows(rowsOf(2), null), {
          identifier: null,
          mode: "forecast",
          steps: 1,
          timeoutMs: null,
          isPresent: () => true,
        });
      for (const next of happenings) {
        if (next.kind === "request") answers.push(request());
        else if (next.kind === "switch") promote();
        else underWay.splice(next.which % Math.max(1, underWay.length), 1)[0]?.();
        await Promise.resolve();
      }
      while (admission.stats().completed < answers.length) {
        for (const end of underWay.splice(0)) end();
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (const answer of await Promise.all(answers))
        expect(answer.forecast.values[0]).toBe(answer.champion.promotion.epoch);
      await slot.close();
    }),
    { numRuns: 100 },
  );
});
