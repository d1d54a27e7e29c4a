import { type Candidate, candidates, fewerOrigins } from "./intervals/candidates.ts";
import { type Fold, foldsIn, type RolledModel, rolledIn } from "./intervals/folds.ts";
import { type Judgement, judge, summarize, winnerOf } from "./intervals/judge.ts";

/**
 * `pnpm bench:intervals DIR CACHE`: chooses how intervals are made by the rule of ADR 10, from the train files `<station>.csv` in DIR
 * alone. Every family is trained and rolled over folds of them, once (half an hour for two stations, on two cores); the forecasts are
 * kept in CACHE. Then each candidate is judged on them: a JSON line each, and the winner with fewer and fewer rows to forecast several steps from.
 */
const [folder, cache] = process.argv.slice(2);
if (folder === undefined || cache === undefined)
  throw new Error("give a folder of <station>.csv files and one to keep forecasts in");

const judgements = new Map<Candidate, Judgement[]>(candidates.map((candidate) => [candidate, []]));
for (const fold of foldsIn(folder)) {
  const models = await rolledIn(fold, cache);
  for (const [candidate, made] of judgements) made.push(...judgeAll(fold, models, candidate));
}
const judged = [...judgements].map(([candidate, made]) => ({
  candidate,
  of: made.length,
  verdict: summarize(made),
}));
for (const { candidate, of, verdict } of judged) print("intervals.candidate", candidate, of, verdict);
const winner = winnerOf(judged);
if (winner === undefined) throw new Error("no candidate keeps what it must");
print("intervals.winner", winner.candidate, winner.of, winner.verdict);

for (const originsAhead of fewerOrigins) {
  const candidate = { ...winner.candidate, originsAhead };
  const made: Judgement[] = [];
  for (const fold of foldsIn(folder)) made.push(...judgeAll(fold, await rolledIn(fold, cache), candidate));
  print("intervals.origins", candidate, made.length, summarize(made));
}

function judgeAll(fold: Fold, models: readonly RolledModel[], candidate: Candidate): readonly Judgement[] {
  return models.flatMap((model) => judge(fold, model, candidate));
}

function print(
  name: string,
  { name: centre, rows, originsAhead }: Candidate,
  of: number,
  verdict: ReturnType<typeof summarize>,
): void {
  const rounded = Object.fromEntries(
    Object.entries(verdict).map(([key, value]) => [
      key,
      typeof value === "number" ? Number(value.toFixed(4)) : value,
    ]),
  );
  console.log(
    JSON.stringify({
      name,
      centre,
      rows,
      originsAhead: Number.isFinite(originsAhead) ? originsAhead : "all",
      of,
      ...rounded,
    }),
  );
}
