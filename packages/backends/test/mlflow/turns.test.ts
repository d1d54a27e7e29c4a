import fc from "fast-check";
import { expect, test } from "vitest";
import { createTurns } from "../../src/mlflow/turns.ts";

test("no more than the limit are under way, all come to their end, and the first come first", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.record({ ticks: fc.nat(5), fails: fc.boolean() }), { maxLength: 20 }),
      async (limit, operations) => {
        const inTurn = createTurns(limit);
        const begun: number[] = [];
        let underWay = 0;
        const outcomes = await Promise.allSettled(
          operations.map(({ ticks, fails }, number) =>
            inTurn(async () => {
              begun.push(number);
              underWay += 1;
              expect(underWay).toBeLessThanOrEqual(limit);
              for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
              underWay -= 1;
              if (fails) throw new Error("expected");
            }),
          ),
        );
        expect(begun).toStrictEqual(operations.map((_, number) => number));
        expect(outcomes.map(({ status }) => status === "rejected")).toStrictEqual(
          operations.map(({ fails }) => fails),
        );
      },
    ),
  );
});
