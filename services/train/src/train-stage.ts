import { openClaim } from "@flts/common/claim-check/claim-check";
import type { Candidate } from "@flts/common/contracts/candidate";
import type { TrainingClaim } from "@flts/common/contracts/claim";
import { hasCode } from "@flts/common/contracts/errors";
import { modelTraining, trainingData } from "@flts/common/contracts/events";
import { roundOf, sha256, workKeyOf } from "@flts/common/contracts/identity";
import { emit } from "@flts/common/contracts/topic";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import type { Logger } from "@flts/common/service/logger";
import type { Failure, HandleContext, Stage } from "@flts/common/stage/stage";
import { type Artifact, encodeManifest, storeArtifact } from "@flts/families/artifact";
import type { Family, Progress } from "@flts/families/family";
import type { FittedModel, FitWork } from "@flts/families/fit";
import { outcomeEvent, readCandidate, runningEvent, settleCandidate, type Work } from "./candidate.ts";
import { closeRuns, logRun, startRun } from "./run-record.ts";

export interface TrainDeps {
  readonly store: ObjectStore;
  readonly tracker: RunTracker;
  readonly clock: Clock;
  readonly log: Logger;
  readonly family: Family;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly targets: readonly string[];
  /** Another value trains the same thing once more. */
  readonly nonce: string;
  readonly processedBucket: string;
  readonly promotionBucket: string;
  readonly claimMaxBytes: number;
  /** The release that trains, for the manifest. */
  readonly codeVersion: string;
  /** Trains in a process of its own. @throws TRAINING_DIVERGED, TRAINING_CRASHED, and what is wrong with the table or the settings */
  readonly train: (
    work: FitWork,
    signal: AbortSignal,
    onProgress: (progress: Progress) => void,
  ) => Promise<FittedModel>;
}

/**
 * Trains one family on a claimed table. The candidate, created once under the work key, is the one visible result: whoever comes second
 * publishes the first one's event. Everything before it may happen twice and leaves at most a superseded run.
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

/** What is to be trained on which table. */
export interface Assignment {
  readonly work: Work;
  readonly claim: TrainingClaim;
  /** The models to combine, for a family that does. */
  readonly fetchMembers?: () => Promise<readonly Artifact[]>;
}

/** The work's one result: what it was found to have, or what training it comes to. */
export async function trainOnce(
  assignment: Assignment,
  deps: TrainDeps,
  context: HandleContext,
): Promise<Candidate> {
  const { work, claim, fetchMembers } = assignment;
  const log = deps.log.with({ model_type: deps.family.name, round: work.round, work_key: work.workKey });
  const earlier = await readCandidate(deps.store, deps.promotionBucket, work);
  if (earlier !== null) {
    log.info("train_skip_duplicate", { status: earlier.status, run_id: earlier.run_id });
    await closeRuns(deps.tracker, earlier);
    return earlier;
  }
  log.info("claim_check", { bucket: claim.bucket, object_key: claim.object, operation: claim.operation });
  const bytes = await openClaim(deps.store, claim, {
    allowedBuckets: [deps.processedBucket],
    maxBytes: deps.claimMaxBytes,
  });
  const members = (await fetchMembers?.()) ?? [];
  return train(claim, bytes, members, work, deps, context, log);
}

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

async function train(
  claim: TrainingClaim,
  bytes: Uint8Array,
  members: readonly Artifact[],
  work: Work,
  deps: TrainDeps,
  context: HandleContext,
  log: Logger,
): Promise<Candidate> {
  const { tracker, clock } = deps;
  const run = await startRun(tracker, work, claim, clock.now());
  log.info("train_start", {
    run_id: run.runId,
    config_hash: claim.config_hash,
    identifier: claim.identifier,
  });
  await context.publish([emit(modelTraining, runningEvent(work, claim, run.runId))]);
  const begun = clock.monotonicMs();
  const table = { bucket: claim.bucket, object: claim.object, size: bytes.byteLength, sha256: sha256(bytes) };
  let fitted: FittedModel;
  try {
    fitted = await deps.train(
      {
        parquet: bytes,
        targets: deps.targets,
        settings: deps.settings,
        seed: work.workKey,
        members,
        provenance: {
          round: work.round,
          work_key: work.workKey,
          config_hash: claim.config_hash,
          identifier: claim.identifier,
          table,
          code_version: deps.codeVersion,
        },
      },
      context.signal,
      (progress) => log.info("train_progress", { run_id: run.runId, ...progress }),
    );
  } catch (error) {
    // The message is sound and so is the code: that this training has no result is its result.
    if (!hasCode(error, "TRAINING_DIVERGED", "SETTINGS_INVALID")) throw error;
    log.error("train_error", error, { run_id: run.runId });
    return settleFailure(claim, work, { code: error.code, reason: error.message }, deps, run);
  }
  const seconds = (clock.monotonicMs() - begun) / 1000;
  await logRun(tracker, run.runId, fitted, claim.config_hash);
  await storeArtifact(tracker, run.runId, fitted.artifact);
  log.info("model_logged", { run_id: run.runId, files: fitted.artifact.files.size + 1 });
  const settled = await settleCandidate(deps.store, deps.promotionBucket, work, claim, {
    status: "SUCCESS",
    run_id: run.runId,
    manifest_sha256: sha256(encodeManifest(fitted.artifact.manifest)),
    table,
    started_at: run.startedAt,
    seconds,
  });
  await closeRuns(tracker, settled);
  log.info(settled.run_id === run.runId ? "train_complete" : "train_superseded", {
    run_id: settled.run_id,
    duration_ms: Math.round(seconds * 1000),
    ...fitted.scores,
  });
  return settled;
}

/** Makes a failure the work's one result, unless it has one. */
export async function settleFailure(
  claim: TrainingClaim,
  work: Work,
  failure: Failure,
  { store, promotionBucket, tracker, clock }: TrainDeps,
  run?: { readonly runId: string; readonly startedAt: number },
): Promise<Candidate> {
  const settled = await settleCandidate(store, promotionBucket, work, claim, {
    status: "FAILED",
    run_id: run?.runId ?? null,
    manifest_sha256: null,
    table: { bucket: claim.bucket, object: claim.object, size: claim.size, sha256: claim.sha256 ?? "" },
    started_at: run?.startedAt ?? clock.now(),
    seconds: 0,
    ...failure,
  });
  await closeRuns(tracker, settled);
  return settled;
}
