import type { Candidate } from "@flts/common/contracts/candidate";
import { MESSAGE_VERSION } from "@flts/common/contracts/claim";
import type { Decision } from "@flts/common/contracts/decision";
import { modelSelected } from "@flts/common/contracts/events";
import { canonicalJson, sha256 } from "@flts/common/contracts/identity";
import type { Promotion } from "@flts/common/contracts/promotion";
import { type Emission, emit } from "@flts/common/contracts/topic";
import type { Logger } from "@flts/common/service/logger";
import { type AdoptionDeps, adoptPointers } from "../promotion/adoption.ts";
import type { Completeness } from "./candidates.ts";
import type { UntoldDecisions } from "./untold.ts";

/** What scoring and the gate say of a round's candidates; the ids are added when it is written down. */
export type Judgement = Pick<
  Decision,
  | "table"
  | "rows"
  | "scoreboard"
  | "baselines"
  | "failed"
  | "gate"
  | "champion"
  | "verdict"
  | "winner"
  | "reason"
  | "versus_persistence"
  | "versus_champion"
>;

/** A round, as every event and document of it names it. */
export interface RoundName {
  readonly round: string;
  readonly identifier: string;
  readonly config_hash: string;
}

export interface DecideDeps extends AdoptionDeps {
  /** Scores the candidates against each other, the baselines and the champion, and lets the gate decide. */
  readonly judgeRound: (candidates: readonly Candidate[], champion: Promotion | null) => Promise<Judgement>;
  /** What becomes of a round whose models did not all come. */
  readonly incomplete: "go_on" | "hold";
  readonly untold: Pick<UntoldDecisions, "note">;
  /** Told of what was decided, each time that it is acted on. */
  readonly onDecided: (decision: Decision) => void;
}

/** Decides a round, or acts once more on what was decided. @returns the events that follow */
export async function decideRound(
  name: RoundName,
  candidates: readonly Candidate[],
  { missing, failed }: Pick<Completeness, "missing" | "failed">,
  deps: DecideDeps,
): Promise<readonly Emission[]> {
  const { ledger, clock } = deps;
  const log = deps.log.with({ ...name });
  const decisionId = decisionIdOf(name.round, candidates);
  // A pointer that a person laid before is decided against, not over.
  const adopted = (await adoptPointers(name.identifier, deps)).map((one) => emit(modelSelected, one));
  const lacking = [...missing, ...failed];
  const heldFor = deps.incomplete === "hold" ? lacking : [];
  for (let attempt = 1; ; attempt++) {
    let decided = await ledger.readDecision(name.round, decisionId, attempt);
    if (decided === null) {
      const champion = await ledger.head(name.identifier);
      const judgement = await deps.judgeRound(candidates, champion);
      decided = await ledger.recordDecision({
        ...hold(judgement, heldFor),
        ...name,
        v: MESSAGE_VERSION,
        decision_id: decisionId,
        attempt,
        timestamp: new Date(clock.now()).toISOString(),
        missing: [...missing],
        held_for: heldFor,
        base_epoch: champion?.epoch ?? 0,
      });
      logScoreboard(decided, log);
    }
    if (decided.verdict === "held" || decided.verdict === "rejected") {
      logDecision(decided, { epoch: decided.base_epoch }, log);
      await settle(decided);
      return adopted;
    }
    const promoted = await ledger.promote(decided);
    if (promoted !== null) {
      const { run_id, model_type, epoch, version } = promoted;
      logDecision(decided, { run_id, model_type, epoch, version }, log);
      await settle(decided);
      return [...adopted, emit(modelSelected, promoted)];
    }
    log.info("promotion_conflict", { epoch: decided.base_epoch + 1, attempt });
  }

  async function settle(decided: Decision): Promise<void> {
    await deps.untold.note(decided);
    deps.onDecided(decided);
  }
}

/** Names a set of candidates: a further candidate of the round makes another decision, a repeated event the same one. */
export function decisionIdOf(round: string, candidates: readonly Candidate[]): string {
  const workKeys = candidates.map(({ work_key }) => work_key).toSorted();
  return sha256(canonicalJson(["decision/1", round, workKeys]));
}

/** The judgement of a round that shall not go on without the models it lacks; of one that lacks none, as it is. */
export const hold = (judgement: Judgement, lacking: readonly string[]): Judgement =>
  lacking.length === 0
    ? judgement
    : {
        ...judgement,
        verdict: "held",
        reason: `held for want of ${lacking.join(", ")}; the gate says ${judgement.verdict}: ${judgement.reason}`,
      };

function logScoreboard({ rows, scoreboard, baselines, failed }: Decision, log: Logger): void {
  log.info("promotion_scoreboard", { rows, scoreboard, baselines, failed });
  if (scoreboard.length === 0) log.warn("promotion_no_valid_runs", { failed });
}

function logDecision(decided: Decision, outcome: Readonly<Record<string, unknown>>, log: Logger): void {
  const winner = decided.scoreboard.find(({ run_id }) => run_id === decided.winner);
  log.info("promotion_decision", {
    verdict: decided.verdict,
    reason: decided.reason,
    gate: decided.gate,
    rows: decided.rows,
    score: winner?.score,
    skill: winner?.skill,
    versus_persistence: decided.versus_persistence,
    versus_champion: decided.versus_champion,
    ...outcome,
  });
}
