import type { TrainingClaim } from "@flts/common/contracts/claim";
import { modelTraining, trainingData } from "@flts/common/contracts/events";
import { roundOf, sha256, workKeyOf } from "@flts/common/contracts/identity";
import { emit } from "@flts/common/contracts/topic";
import type { Stage } from "@flts/common/stage/stage";
import { outcomeEvent, type Work } from "./candidate.ts";
import { settleFailure, type TrainDeps, trainOnce } from "./train-once.ts";

/**
 * Trains one family on a claimed table. The candidate, created once under the work key, is the one visible result: whoever comes second
 * publishes the first one's event. Everything before it may happen twice and leaves at most a superseded run; the work's lease sees to it that it seldom does.
 */
export const trainStage: Stage<TrainingClaim, TrainDeps> = {
  name: "train",
  consumes: trainingData,

  async handle(claim, deps, context) {
    const candidate = await trainOnce({ claim, work: workOf(claim, deps) }, deps, context);
    return [emit(modelTraining, outcomeEvent(candidate))];
  },

  /** Eval must not wait for a training that nobody will attempt again. */
  async giveUp(claim, failure, deps) {
    const failed = await settleFailure(claim, workOf(claim, deps), failure, deps);
    return [emit(modelTraining, outcomeEvent(failed))];
  },
};

function workOf(claim: TrainingClaim, { family, settings, targets, nonce }: TrainDeps): Work {
  // The reference's claims name no round: theirs is made of what they do name.
  const round =
    claim.round ??
    roundOf({
      identifier: claim.identifier,
      configHash: claim.config_hash,
      trainDigest: claim.sha256 ?? sha256(`${claim.bucket}/${claim.object}/${claim.size}`),
      testDigest: "",
    });
  const workKey = workKeyOf({ round, family: family.name, settings: { ...settings, targets }, nonce });
  return { round, workKey, family: family.name, experiment: family.experiment };
}
