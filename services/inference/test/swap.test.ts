import { createTable } from "@flts/forecasting/table/table";
import { createManualClock } from "@flts/testing/manual-clock";
import { createSeededRandom } from "@flts/testing/seeded-random";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createModelSlot } from "../src/model/model-slot.ts";
import { createAdmission } from "../src/predict/admission.ts";
import { predict } from "../src/predict/predict.ts";
import { constantModel, promotionOf, quietLog, rowsOf } from "./fakes.ts";

/** What happens, in an order that chance decides: a request, a switch, or a forecast under way that ends. */
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: "request" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "switch" as const }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("end" as const), which: fc.nat(9) }) },
);

it("answers every request by the model it names, however requests and switches interleave", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      async (happenings, width) => {
        const slot = createModelSlot(quietLog());
        const admission = createAdmission({
          maxActive: width,
          maxPending: 1_000,
          clock: createManualClock(),
          onWait: () => {},
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
        const answers: ReturnType<typeof predict>[] = [];
        const request = () =>
          predict(
            { data: rowsOf(2) },
            {},
            {
              slot,
              admission,
              cachedFrame: () => createTable(new Float64Array(), [], []),
              clock: createManualClock(),
              random: createSeededRandom(1),
              observe: () => {},
            },
          );
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
        for (const { run_id, epoch: named, predictions } of await Promise.all(answers)) {
          expect(run_id).toBe(`run-${named}`);
          expect(predictions[0]?.["down"]).toBe(named);
        }
        await slot.close();
      },
    ),
    { numRuns: 100 },
  );
});
