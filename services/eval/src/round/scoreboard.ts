import type { ScoreRow } from "@flts/common/contracts/decision";
import type { Comparison } from "@flts/common/contracts/promotion";
import type { LossComparison } from "@flts/forecasting/evaluation/bootstrap";
import { decisiveOf, type GateDecision, type GateMode, judgeEach } from "@flts/forecasting/evaluation/gate";
import type { Judgement } from "./decide-round.ts";

/** A candidate as it was measured. */
export interface Contender {
  readonly row: ScoreRow;
  /** When its run began, milliseconds since 1970 UTC. */
  readonly startedAt: number;
  /** The squared error of each row. `[rows]` */
  readonly losses: Float64Array;
}

/** Whom the contenders are compared with: losses on the same rows. */
export interface Rivals {
  readonly persistence: Float64Array;
  /** Null when there is none, or none that can be compared. */
  readonly champion: Float64Array | null;
}

/** The gate's bootstrap is a function of the decision's input: the same rows give the same verdict, on any machine, at any time. */
const BOOTSTRAP_SEED = 1;

/**
 * Ranks the contenders and lets the gate decide: a function of what was measured, in whatever order that came.
 * @throws TABLE_INVALID without contenders, or when losses of different rows meet
 */
export function judgeBoard(
  contenders: readonly Contender[],
  { persistence, champion }: Rivals,
  mode: GateMode,
): Pick<
  Judgement,
  "scoreboard" | "verdict" | "winner" | "reason" | "versus_persistence" | "versus_champion"
> {
  const board = contenders.toSorted(byRank);
  const verdicts = judgeEach({
    mode,
    candidates: board.map(({ row, losses }) => ({ id: row.run_id, score: row.score, losses })),
    persistence,
    champion,
    seed: BOOTSTRAP_SEED,
  });
  const decided = decisiveOf(verdicts);
  const family = board.find(({ row }) => row.run_id === decided.candidate)?.row.model_type;
  return {
    scoreboard: board.map(({ row }) => withVerdict(row, verdicts)),
    verdict: decided.verdict,
    winner: decided.candidate,
    reason: decided.reason.replace(decided.candidate, `${family} ${decided.candidate.slice(0, 8)}`),
    versus_persistence: comparisonOf(decided.versusPersistence),
    versus_champion: decided.versusChampion === null ? null : comparisonOf(decided.versusChampion),
  };
}

/** The lowest score first; of equal ones the run that began last, as in the reference; of those that began together the first by work key. */
const byRank = (a: Contender, b: Contender): number =>
  a.row.score - b.row.score || b.startedAt - a.startedAt || (a.row.work_key < b.row.work_key ? -1 : 1);

/** A candidate's row with what the gate said of it alone. */
function withVerdict(row: ScoreRow, verdicts: readonly GateDecision[]): ScoreRow {
  const own = verdicts.find(({ candidate }) => candidate === row.run_id);
  if (own === undefined) return row;
  const { verdict, versusPersistence, versusChampion } = own;
  return {
    ...row,
    verdict,
    versus_persistence: comparisonOf(versusPersistence),
    versus_champion: versusChampion === null ? null : comparisonOf(versusChampion),
  };
}

const comparisonOf = ({ difference, low, high, p, rows, blockLength }: LossComparison): Comparison => ({
  difference,
  low,
  high,
  p,
  rows,
  block_length: blockLength,
});
