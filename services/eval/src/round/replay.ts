import type { Candidate } from "@flts/common/contracts/candidate";
import type { Decision } from "@flts/common/contracts/decision";
import { FltsError } from "@flts/common/contracts/errors";
import { canonicalJson, stationOf } from "@flts/common/contracts/identity";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { Ledger } from "../promotion/ledger.ts";
import { listCandidates } from "./candidates.ts";
import { decisionIdOf, hold, type Judgement } from "./decide-round.ts";
import { judgeRound, type ScoringDeps } from "./scoring.ts";

export interface ReplayDeps extends Omit<ScoringDeps, "gate"> {
  readonly ledger: Ledger;
  readonly promotionBucket: string;
}

/** A past decision beside the same decision taken anew. */
export interface Replay {
  readonly promotion: Promotion;
  readonly decision: Decision;
  readonly again: Judgement;
  /** What came out otherwise, one sentence each: none when verdict and every number are the same. */
  readonly differences: readonly string[];
}

/**
 * Takes the decision behind an epoch again: the same candidates against the champion of that time, on the rows that are stored, by the gate that was set.
 * @throws PROMOTION_REFUSED when there is no such epoch or a person decided it; CLAIM_MISSING, CLAIM_CORRUPT, TRACKER_UNAVAILABLE, STORE_UNAVAILABLE
 */
export async function replayEpoch(identifier: string, epoch: number, deps: ReplayDeps): Promise<Replay> {
  const promotion = await deps.ledger.entry(identifier, epoch);
  if (promotion === null)
    throw new FltsError("PROMOTION_REFUSED", `station ${stationOf(identifier)} has no epoch ${epoch}`);
  const decision = await decisionOf(promotion, deps.ledger);
  const candidates = (await listCandidates(decision.round, deps)).filter((one) => wasWeighed(one, decision));
  const champion =
    decision.base_epoch === 0 ? null : await deps.ledger.entry(identifier, decision.base_epoch);
  const again = hold(
    await judgeRound(candidates, champion, { ...deps, gate: decision.gate }),
    decision.held_for,
  );
  const differences = [
    ...(decisionIdOf(decision.round, candidates) === decision.decision_id
      ? []
      : ["the candidates in the store are not those that were weighed"]),
    ...parts.filter((part) => !isSame(decision[part], again[part])).map((part) => `${part} is another`),
    ...rowDifferences(decision, again),
  ];
  return { promotion, decision, again, differences };
}

async function decisionOf(
  { source, epoch, round, promotion_id, actor, reason }: Promotion,
  ledger: Ledger,
): Promise<Decision> {
  if (source === "manual")
    throw new FltsError(
      "PROMOTION_REFUSED",
      `epoch ${epoch} was decided by a person (${actor ?? "unknown"}: ${reason ?? "no reason given"}), not by the gate`,
    );
  const [decisionId = "", attempt = ""] = promotion_id.split(":");
  const decision = await ledger.readDecision(round, decisionId, Number(attempt));
  if (decision === null)
    throw new FltsError("PROMOTION_REFUSED", `the decision behind epoch ${epoch} is no longer in the store`);
  return decision;
}

const wasWeighed = ({ work_key, model_type }: Candidate, { scoreboard, failed }: Decision): boolean =>
  scoreboard.some((row) => row.work_key === work_key) ||
  failed.some((row) => (row.work_key ?? work_key) === work_key && row.model_type === model_type);

/** What must come out the same. The sentence for people follows from it. */
const parts = [
  "verdict",
  "winner",
  "rows",
  "baselines",
  "champion",
  "versus_persistence",
  "versus_champion",
] as const;

const numbers = ["rmse", "mae", "mse", "r2", "score", "skill"] as const;

function rowDifferences({ scoreboard }: Decision, again: Judgement): readonly string[] {
  return scoreboard.flatMap((row) => {
    const other = again.scoreboard.find(({ run_id }) => run_id === row.run_id);
    if (other === undefined) return [`${row.model_type} (run ${row.run_id}) cannot be scored any more`];
    return numbers
      .filter((name) => !isSame(row[name], other[name]))
      .map((name) => `${name} of ${row.model_type} was ${row[name]} and is ${other[name]}`);
  });
}

const isSame = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);
