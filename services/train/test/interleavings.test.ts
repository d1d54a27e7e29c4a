import type { Emission } from "@flts/common/contracts/topic";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { TrainDeps } from "../src/train-once.ts";
import { trainStage } from "../src/train-stage.ts";
import { type Bench, context, createBench, expectOneResult, overTime } from "./bench.ts";
import { createMortality, Death } from "./mortality.ts";

/** A trainer that dies between any two of its calls, and trainers that race while they die: whatever the order, there is one result. */

const mortalDeps = (bench: Bench, nth: number, moment: "before" | "after") => {
  const { guard, guardCall } = createMortality(nth, moment);
  const deps = bench.deps();
  return {
    deps: { ...deps, store: guard(deps.store), tracker: guard(deps.tracker), train: guardCall(deps.train) },
    context: { ...context, publish: guardCall(context.publish) },
  };
};

test.each(["before", "after"] as const)(
  "a trainer killed %s any of its calls, and started again, has one result",
  async (moment) => {
    let lived = false;
    for (let nth = 1; !lived; nth++) {
      const bench = await createBench();
      const mortal = mortalDeps(bench, nth, moment);
      lived = await trainStage.handle(bench.claim, mortal.deps, mortal.context).then(
        () => true,
        (error: unknown) => !(error instanceof Death),
      );
      const again = trainStage.handle(bench.claim, bench.deps(), context);
      const [emission] = await overTime(bench.clock, again);
      const { run_id } = await expectOneResult(bench);
      expect(emission?.value).toMatchObject({ status: "SUCCESS", run_id });
    }
  },
);

test("trainers that race for a claim, and die on the way, have one result and publish the same event", async () => {
  const death = fc.record({
    nth: fc.integer({ min: 1, max: 25 }),
    moment: fc.constantFrom("before" as const, "after" as const),
  });
  const trainers = fc.array(fc.array(death, { maxLength: 2 }), { minLength: 2, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), trainers, async (scheduler, lives) => {
      const bench = await createBench();
      const published = new Set<string>();
      const turns = <Port extends object>(port: Port): Port =>
        new Proxy(port, {
          get: (target, name, receiver) => {
            const member: unknown = Reflect.get(target, name, receiver);
            if (typeof member !== "function") return member;
            return async (...args: unknown[]) => {
              await scheduler.schedule(Promise.resolve(), String(name));
              return Reflect.apply(member, target, args) as unknown;
            };
          },
        });
      const races = scheduler.waitFor(
        Promise.all(
          lives.map(async (deaths) => {
            const fates = [...deaths];
            for (let emissions: readonly Emission[] | null = null; emissions === null; ) {
              const { nth, moment } = fates.shift() ?? { nth: Number.POSITIVE_INFINITY, moment: "before" };
              const mortal = mortalDeps(bench, nth, moment);
              const deps: TrainDeps = {
                ...mortal.deps,
                store: turns(mortal.deps.store),
                tracker: turns(mortal.deps.tracker),
              };
              emissions = await trainStage.handle(bench.claim, deps, mortal.context).catch(unlessDead);
              if (emissions !== null) published.add(JSON.stringify(emissions));
            }
          }),
        ),
      );
      await overTime(bench.clock, races);
      published.add(JSON.stringify(await trainStage.handle(bench.claim, bench.deps(), context)));
      expect([...published]).toHaveLength(1);
      await expectOneResult(bench);
    }),
    { numRuns: 60 },
  );
});

function unlessDead(error: unknown): null {
  if (error instanceof Death) return null;
  throw error;
}
