import { sha256 } from "@flts/common/contracts/identity";
import type { Emission } from "@flts/common/contracts/topic";
import type { ObjectStore } from "@flts/common/ports/object-store";
import fc from "fast-check";
import { expect, test } from "vitest";
import { evalStage } from "../src/eval-stage.ts";
import { expectLinear, historyOf, watchHeads } from "./books.ts";
import { context, createStore, depsOn, eventOf, storeCandidate, type Training } from "./builders.ts";
import { createDyingStore, Death } from "./dying-store.ts";

/**
 * Several evals on one store, every call of theirs a point where the others may go first, some of them killed on the way and started again. Whatever the order, the
 * history is linear, each round is promoted once, and all who handled its event publish the same.
 */

/** One eval's work: rounds in the order in which their events reach it, and the calls at which it dies. */
const actor = (rounds: readonly string[]) =>
  fc.record({
    rounds: fc.shuffledSubarray([...rounds], { minLength: 1 }),
    deaths: fc.array(
      fc.record({
        nth: fc.integer({ min: 1, max: 30 }),
        moment: fc.constantFrom("before" as const, "after" as const),
      }),
      {
        maxLength: 3,
      },
    ),
  });

test.each([
  ["the default station", ["", "", "", ""]],
  ["two stations", ["", "ElBorn", "", "ElBorn"]],
])("evals of %s that race and die keep the book of promotions", async (_name, stations) => {
  const trainings = stations.map((identifier, index): Training => ({ round: `r${index}`, identifier }));
  const names = trainings.map(({ round }) => round);
  const eventNamed = (round: string) => eventOf(trainings[names.indexOf(round)] ?? { round });
  const actors = fc.array(actor(names), { minLength: 2, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), actors, async (scheduler, evals) => {
      const { store, movedBack } = watchHeads(await createStore());
      for (const training of trainings) await storeCandidate(store, training);
      const published = new Map<string, Set<string>>();
      const record = (round: string, emissions: readonly Emission[]): void => {
        published.set(round, (published.get(round) ?? new Set()).add(JSON.stringify(emissions)));
      };
      await scheduler.waitFor(
        Promise.all(
          evals.map(async ({ rounds, deaths }, name) => {
            const fates = [...deaths];
            for (const round of rounds) {
              for (let emissions = null; emissions === null; ) {
                const fate = fates.shift() ?? { nth: Number.POSITIVE_INFINITY, moment: "before" };
                const scheduled = scheduledStore(store, scheduler, `eval ${name}`);
                const deps = depsOn(createDyingStore(scheduled, fate.nth, fate.moment).store);
                emissions = await evalStage.handle(eventNamed(round), deps, context).catch(unlessDead);
                if (emissions !== null) record(round, emissions);
              }
            }
          }),
        ),
      );
      for (const round of names)
        record(round, await evalStage.handle(eventNamed(round), depsOn(store), context));

      expect(movedBack).toEqual([]);
      for (const station of new Set(stations)) {
        await expectLinear(store, station);
        const promoted = (await historyOf(store, station)).map(({ round }) => round).toSorted();
        const asked = trainings
          .filter(({ identifier }) => identifier === station)
          .map(({ round }) => sha256(round));
        expect(promoted).toEqual(asked.toSorted());
      }
      for (const emissions of published.values()) expect([...emissions]).toHaveLength(1);
    }),
    { numRuns: 150 },
  );
});

function unlessDead(error: unknown): null {
  if (error instanceof Death) return null;
  throw error;
}

/** The store, with a point before and after every call at which the scheduler picks who goes on. */
function scheduledStore(store: ObjectStore, scheduler: fc.Scheduler, name: string): ObjectStore {
  const around = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
    await scheduler.schedule(Promise.resolve(), `${name}: ${what}`);
    const answer = await call();
    await scheduler.schedule(Promise.resolve(), `${name}: answer to ${what}`);
    return answer;
  };
  return {
    ...store,
    put: (ref, ...rest) => around(`put ${ref.key}`, () => store.put(ref, ...rest)),
    get: (ref) => around(`get ${ref.key}`, () => store.get(ref)),
    head: (ref) => around(`head ${ref.key}`, () => store.head(ref)),
    remove: (ref) => around(`remove ${ref.key}`, () => store.remove(ref)),
  };
}
