import { MESSAGE_VERSION } from "@flts/common/contracts/claim";
import type { Decision, ScoreRow } from "@flts/common/contracts/decision";
import { FltsError } from "@flts/common/contracts/errors";
import { type Promotion, scoreWeights } from "@flts/common/contracts/promotion";
import type { InspectedRun } from "./inspect-run.ts";
import { type GivenVersion, traitsOf } from "./version.ts";

/** The scores of the run that a decision promotes. @throws POINTER_INVALID when there are none */
export function winnerOf({ scoreboard, winner, decision_id }: Decision): ScoreRow {
  const row = scoreboard.find(({ run_id }) => run_id === winner);
  if (row === undefined)
    throw new FltsError("POINTER_INVALID", `decision ${decision_id} promotes a run that it did not score`);
  return row;
}

/** The promotion that a decision calls for (L1). */
export function promotionOf(decided: Decision, winner: ScoreRow, version: GivenVersion): Promotion {
  return {
    identifier: decided.identifier,
    config_hash: decided.config_hash,
    run_id: winner.run_id,
    model_type: winner.model_type,
    experiment: winner.experiment,
    model_uri: `runs:/${winner.run_id}/${winner.model_type}`,
    rmse: winner.rmse,
    mae: winner.mae,
    mse: winner.mse,
    score: winner.score,
    timestamp: decided.timestamp,
    weights: { ...scoreWeights },
    v: MESSAGE_VERSION,
    epoch: decided.base_epoch + 1,
    promotion_id: `${decided.decision_id}:${decided.attempt}`,
    source: "gate",
    verdict: decided.verdict,
    round: decided.round,
    work_key: winner.work_key,
    manifest_sha256: winner.manifest_sha256,
    previous_epoch: decided.base_epoch === 0 ? null : decided.base_epoch,
    ...version,
    ...(winner.feature_schema === undefined ? {} : { feature_schema: winner.feature_schema }),
    ...(winner.settings_sha256 === undefined ? {} : { settings_sha256: winner.settings_sha256 }),
    reason: decided.reason,
    gate: {
      mode: decided.gate,
      rows: decided.rows,
      skill: winner.skill,
      versus_persistence: decided.versus_persistence,
      versus_champion: decided.versus_champion,
    },
  };
}

/** What a promotion by hand says beside the run and the champion it replaces. */
export interface ByHand
  extends Pick<Promotion, "promotion_id" | "timestamp" | "reason">,
    Partial<Pick<Promotion, "actor" | "overridden" | "restored_epoch" | "adopted">> {}

/** A promotion that a person asked for; scores are those that the model was given when it was trained. */
export function promotionByHand(
  { run, manifest, manifestSha256 }: InspectedRun,
  champion: Promotion | null,
  version: GivenVersion,
  byHand: ByHand,
): Promotion {
  const { rmse, mae, mse } = manifest.scores;
  const traits = traitsOf(manifest);
  return {
    identifier: manifest.identifier,
    config_hash: manifest.config_hash,
    run_id: run.runId,
    model_type: manifest.family,
    experiment: run.experiment,
    model_uri: `runs:/${run.runId}/${manifest.family}`,
    rmse,
    mae,
    mse,
    score: scoreWeights.rmse * rmse + scoreWeights.mae * mae + scoreWeights.mse * mse,
    weights: { ...scoreWeights },
    v: MESSAGE_VERSION,
    epoch: (champion?.epoch ?? 0) + 1,
    source: "manual",
    verdict: "promoted",
    round: manifest.round,
    work_key: manifest.work_key,
    manifest_sha256: manifestSha256,
    previous_epoch: champion?.epoch ?? null,
    ...version,
    feature_schema: traits.feature_schema,
    settings_sha256: traits.settings_sha256,
    ...byHand,
  };
}
