import type { Candidate } from "@flts/common/contracts/candidate";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type EvalDeps, evalStage } from "../../src/eval-stage.ts";
import { type Contender, judgeBoard } from "../../src/round/scoreboard.ts";
import { expectLinear, headOf, historyOf } from "../books.ts";
import {
  context,
  createStore,
  depsOn,
  eventOf,
  patienceFor,
  promoteFirst,
  scoreRowOf,
  storeCandidate,
} from "../builders.ts";
import { createDyingStore, Death } from "../dying-store.ts";

/** What is known of a candidate when it was measured: few values, so that ties are common. */
interface Measurement {
  readonly score: number;
  readonly startedAt: number;
}

const measurement: fc.Arbitrary<Measurement> = fc.record({
  score: fc.constantFrom(0.2, 0.3, 0.4),
  startedAt: fc.constantFrom(1_000, 2_000),
});

const ROWS = 40;
const persistence = new Float64Array(ROWS).fill(0.5);

const contenderOf = (candidate: Candidate, { score, startedAt }: Measurement): Contender => ({
  row: { ...scoreRowOf(candidate), score },
  startedAt,
  losses: new Float64Array(ROWS).fill(0.1),
});

/** The reference's rule (behaviour §6.2), written down once more: the lowest score, then the latest start; here, then the first work key. */
function expectedWinner(contenders: readonly Contender[]): string | undefined {
  const lowest = Math.min(...contenders.map(({ row }) => row.score));
  const best = contenders.filter(({ row }) => row.score === lowest);
  const latest = Math.max(...best.map(({ startedAt }) => startedAt));
  const last = best.filter(({ startedAt }) => startedAt === latest);
  const [first] = last.map(({ row }) => row.work_key).toSorted();
  return last.find(({ row }) => row.work_key === first)?.row.run_id;
}

test("of equal scores the run that began last wins, whatever the order in which they are measured", async () => {
  const store = await createStore();
  const families = ["GRU", "LINEAR", "LSTM", "PROPHET"];
  const candidates = await Promise.all(
    families.map((family) => storeCandidate(store, { round: "a", family })),
  );
  fc.assert(
    fc.property(
      fc.tuple(measurement, measurement, measurement, measurement),
      fc.shuffledSubarray([0, 1, 2, 3], { minLength: 2 }),
      (measurements, order) => {
        const contenders = order.map((index) => contenderOf(candidates[index]!, measurements[index]!));
        const judged = judgeBoard(contenders, { persistence, champion: null }, "strict");
        const again = judgeBoard(contenders.toReversed(), { persistence, champion: null }, "strict");
        expect(judged.winner).toBe(expectedWinner(contenders));
        expect(again).toEqual(judged);
      },
    ),
  );
});

test("a round of equal scores has the same champion in whatever order its models arrive, and wherever eval is killed", async () => {
  const families = ["GRU", "LINEAR", "LSTM"];
  const death = fc.record({
    nth: fc.integer({ min: 1, max: 25 }),
    moment: fc.constantFrom("before" as const, "after" as const),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(measurement, measurement, measurement),
      fc.shuffledSubarray(families, { minLength: 3 }),
      fc.array(death, { maxLength: 3 }),
      async (measurements, arrivals, deaths) => {
        const measure = (candidate: Candidate): Contender =>
          contenderOf(candidate, measurements[families.indexOf(candidate.model_type)]!);
        const judgeRound: EvalDeps["judgeRound"] = async (candidates, champion) => ({
          ...promoteFirst(candidates, champion),
          ...judgeBoard(candidates.map(measure), { persistence, champion: null }, "strict"),
        });
        const store = await createStore();
        const fates = [...deaths];
        const arrived: Candidate[] = [];
        for (const family of arrivals) {
          arrived.push(await storeCandidate(store, { round: "a", family }));
          for (let done = false; !done; ) {
            const fate = fates.shift() ?? { nth: Number.POSITIVE_INFINITY, moment: "before" };
            const alive = createDyingStore(store, fate.nth, fate.moment).store;
            const deps = depsOn(alive, { patience: patienceFor(families), judgeRound });
            done = await evalStage.handle(eventOf({ round: "a", family }), deps, context).then(
              () => true,
              (error: unknown) => {
                if (error instanceof Death) return false;
                throw error;
              },
            );
          }
        }
        expect(await historyOf(store)).toHaveLength(1);
        expect((await headOf(store))?.run_id).toBe(expectedWinner(arrived.map(measure)));
        await expectLinear(store);
      },
    ),
    { numRuns: 60 },
  );
});
