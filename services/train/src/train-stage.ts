import type { TrainingClaim } from "@flts/common/contracts/claim";
import { modelTraining, trainingData } from "@flts/common/contracts/events";
import { roundOf, sha256, workKeyOf } from "@flts/common/contracts/identity";
import { emit } from "@flts/common/contracts/topic";
import { REDRIVEN_FROM } from "@flts/common/housekeeping/redrive";
import type { MessageHeaders, Stage } from "@flts/common/stage/stage";
import { outcomeEvent, readCandidate, type Work } from "./candidate.ts";
import { settleFailure, type TrainDeps, trainOnce } from "./train-once.ts";

/**
 * Trains one family on a claimed table. The candidate, created once under the work key, is the one visible result: whoever comes second
 * publishes the first one's event. Everything before it may happen twice and leaves at most a superseded run; the work's lease sees to it that it seldom does.
 */
export const trainStage: Stage<TrainingClaim, TrainDeps> = {
  name: "train",
  consumes: trainingData,

  async handle(claim, deps, context) {
    const work = await workFor(claim, deps, context.headers);
    const candidate = await trainOnce({ claim, work }, deps, context);
    return [emit(modelTraining, outcomeEvent(candidate))];
  },

  /** Eval must not wait for a training that nobody will attempt again. */
  async giveUp(claim, failure, deps, headers) {
    const failed = await settleFailure(claim, await workFor(claim, deps, headers), failure, deps);
    return [emit(modelTraining, outcomeEvent(failed))];
  },
};

/** What a claim asks for. A training that failed stays failed, whoever asks; redriving its dead letter asks for another one. */
async function workFor(claim: TrainingClaim, deps: TrainDeps, headers: MessageHeaders): Promise<Work> {
  const work = workOf(claim, deps, deps.nonce);
  const letter = headers[REDRIVEN_FROM];
  if (letter === undefined) return work;
  const earlier = await readCandidate(deps.store, deps.promotionBucket, work);
  return earlier?.status === "FAILED" ? workOf(claim, deps, `${deps.nonce}/${letter}`) : work;
}

function workOf(claim: TrainingClaim, { family, settings, targets }: TrainDeps, nonce: string): Work {
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
