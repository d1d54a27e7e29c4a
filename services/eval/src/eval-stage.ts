import { readDocument } from "@flts/common/claim-check/documents";
import { type Candidate, candidate as candidateSchema } from "@flts/common/contracts/candidate";
import { MESSAGE_VERSION } from "@flts/common/contracts/claim";
import type { Decision } from "@flts/common/contracts/decision";
import { modelSelected, modelTraining, type TrainingEvent } from "@flts/common/contracts/events";
import { canonicalJson, sha256 } from "@flts/common/contracts/identity";
import { keys } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import { type Emission, emit } from "@flts/common/contracts/topic";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Logger } from "@flts/common/service/logger";
import type { Stage } from "@flts/common/stage/stage";
import type { Ledger } from "./ledger.ts";

export interface EvalDeps {
  readonly store: ObjectStore;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Logger;
  readonly promotionBucket: string;
  readonly expectedFamilies: readonly string[];
  /** Scores the candidates against each other, the baselines and the champion, and lets the gate decide. */
  readonly judgeRound: (candidates: readonly Candidate[], champion: Promotion | null) => Promise<Judgement>;
}

/** What scoring and the gate say of a round's candidates; the ids are added by the stage. */
export type Judgement = Pick<
  Decision,
  | "table"
  | "rows"
  | "scoreboard"
  | "baselines"
  | "failed"
  | "champion"
  | "verdict"
  | "winner"
  | "reason"
  | "versus_persistence"
  | "versus_champion"
>;

/**
 * Decides a round once every expected family has a candidate in the store. It remembers nothing: which candidates there are is a listing, what was
 * decided is a document, and a restart at any line changes nothing.
 */
export const evalStage: Stage<TrainingEvent, EvalDeps> = {
  name: "eval",
  consumes: modelTraining,

  async handle(event, deps) {
    const log = deps.log.with({
      round: event.round,
      identifier: event.identifier,
      config_hash: event.config_hash,
    });
    if (event.status === "RUNNING") {
      log.info("promotion_ignore", { status: event.status, model_type: event.run_name });
      return [];
    }
    const candidates = await listCandidates(deps, event.round);
    const have = new Set(candidates.map(({ model_type }) => model_type));
    const missing = deps.expectedFamilies.filter((family) => !have.has(family));
    if (missing.length > 0) {
      log.info("promotion_waiting_for_models", { have: [...have], missing, expected: deps.expectedFamilies });
      return [];
    }
    log.info("promotion_all_models_present", { have: [...have] });
    return decideRound(candidates, event, deps, log);
  },
};

async function decideRound(
  candidates: readonly Candidate[],
  event: TrainingEvent,
  deps: EvalDeps,
  log: Logger,
): Promise<readonly Emission[]> {
  const { ledger, clock } = deps;
  const decisionId = decisionIdOf(event.round, candidates);
  for (let attempt = 1; ; attempt++) {
    let decided = await ledger.readDecision(event.round, decisionId, attempt);
    if (decided === null) {
      const champion = await ledger.head(event.identifier);
      const judgement = await deps.judgeRound(candidates, champion);
      decided = await ledger.recordDecision({
        ...judgement,
        v: MESSAGE_VERSION,
        decision_id: decisionId,
        attempt,
        identifier: event.identifier,
        config_hash: event.config_hash,
        round: event.round,
        timestamp: new Date(clock.now()).toISOString(),
        base_epoch: champion?.epoch ?? 0,
      });
      log.info("promotion_scoreboard", {
        rows: decided.rows,
        scoreboard: decided.scoreboard,
        baselines: decided.baselines,
      });
    }
    if (decided.verdict === "held" || decided.verdict === "rejected") {
      log.info("promotion_decision", {
        verdict: decided.verdict,
        reason: decided.reason,
        epoch: decided.base_epoch,
      });
      return [];
    }
    const promoted = await ledger.promote(decided);
    if (promoted !== null) {
      const { run_id, model_type, epoch } = promoted;
      log.info("promotion_decision", {
        verdict: decided.verdict,
        reason: decided.reason,
        run_id,
        model_type,
        epoch,
      });
      return [emit(modelSelected, promoted)];
    }
    log.info("promotion_conflict", { epoch: decided.base_epoch + 1, attempt });
  }
}

/** Names a set of candidates: a further candidate of the round makes another decision, a repeated event the same one. */
function decisionIdOf(round: string, candidates: readonly Candidate[]): string {
  const workKeys = candidates.map(({ work_key }) => work_key).toSorted();
  return sha256(canonicalJson(["decision/1", round, workKeys]));
}

async function listCandidates(
  { store, promotionBucket }: EvalDeps,
  round: string,
): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for await (const { key } of store.list(promotionBucket, keys.candidatesOf(round))) {
    const stored = await readDocument(
      store,
      { bucket: promotionBucket, key },
      candidateSchema,
      "POINTER_INVALID",
    );
    if (stored !== null) candidates.push(stored.document);
  }
  return candidates;
}
