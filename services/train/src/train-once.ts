import { openClaim } from "@flts/common/claim-check/claim-check";
import type { Candidate } from "@flts/common/contracts/candidate";
import type { TrainingClaim } from "@flts/common/contracts/claim";
import { hasCode } from "@flts/common/contracts/errors";
import { modelTraining } from "@flts/common/contracts/events";
import { sha256 } from "@flts/common/contracts/identity";
import { emit } from "@flts/common/contracts/topic";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Random } from "@flts/common/ports/random";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import type { Logger } from "@flts/common/service/logger";
import type { Failure, HandleContext } from "@flts/common/stage/stage";
import { type Artifact, encodeManifest, storeArtifact } from "@flts/families/artifact";
import type { Family, Progress } from "@flts/families/family";
import type { FittedModel, FitWork } from "@flts/families/fit";
import { readCandidate, runningEvent, settleCandidate, type Work } from "./candidate.ts";
import { patientTracker } from "./patient-tracker.ts";
import { closeRuns, findTrained, logRun, startRun } from "./run-record.ts";
import { holdWork } from "./work-lease.ts";

export interface TrainDeps {
  readonly store: ObjectStore;
  readonly tracker: RunTracker;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly family: Family;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly targets: readonly string[];
  /** Another value trains the same thing once more. */
  readonly nonce: string;
  readonly processedBucket: string;
  readonly promotionBucket: string;
  readonly claimMaxBytes: number;
  /** A trainer that shows no sign of life for so long loses its work to another. */
  readonly leaseMs: number;
  /** The release that trains, for the manifest. */
  readonly codeVersion: string;
  /** Trains in a process of its own. @throws TRAINING_DIVERGED, TRAINING_CRASHED, and what is wrong with the table or the settings */
  readonly train: (
    work: FitWork,
    signal: AbortSignal,
    onProgress: (progress: Progress) => void,
  ) => Promise<FittedModel>;
}

/** What is to be trained on which table. */
export interface Assignment {
  readonly work: Work;
  readonly claim: TrainingClaim;
  /** The models to combine, for a family that does. */
  readonly fetchMembers?: () => Promise<readonly Artifact[]>;
}

/**
 * The work's one result: what it was found to have, or what training it comes to.
 * @throws LEASE_LOST when another trainer has taken the work over; what is wrong with the claim, the table or the settings
 */
export async function trainOnce(
  assignment: Assignment,
  deps: TrainDeps,
  context: HandleContext,
): Promise<Candidate> {
  const { work } = assignment;
  const log = deps.log.with({ model_type: deps.family.name, round: work.round, work_key: work.workKey });
  const candidate = await findCandidate(work, deps, log);
  if (candidate !== null) return candidate;
  return holdWork(
    work,
    deps,
    log,
    context.signal,
    async (signal) =>
      // Who held the work before may have ended it, or all but ended it.
      (await findCandidate(work, deps, log)) ??
      (await adopt(assignment, deps, log)) ??
      (await train(assignment, deps, { ...context, signal }, log)),
  );
}

/** The candidate that the work has. */
async function findCandidate(work: Work, deps: TrainDeps, log: Logger): Promise<Candidate | null> {
  const earlier = await readCandidate(deps.store, deps.promotionBucket, work);
  if (earlier === null) return null;
  log.info("train_skip_duplicate", { status: earlier.status, run_id: earlier.run_id });
  await closeRuns(deps.tracker, earlier);
  return earlier;
}

/** Makes the model that an earlier trainer stored, and did not live to announce, the work's result. */
async function adopt(
  { claim, work }: Assignment,
  { store, promotionBucket, tracker }: TrainDeps,
  log: Logger,
): Promise<Candidate | null> {
  const trained = await findTrained(tracker, work);
  if (trained === null) return null;
  const { run, manifest, manifestSha256, seconds } = trained;
  const settled = await settleCandidate(store, promotionBucket, work, claim, {
    status: "SUCCESS",
    run_id: run.runId,
    manifest_sha256: manifestSha256,
    table: manifest.table,
    started_at: run.startedAt,
    seconds,
  });
  await closeRuns(tracker, settled);
  log.info("train_adopted", { run_id: settled.run_id });
  return settled;
}

async function train(
  { claim, work, fetchMembers }: Assignment,
  deps: TrainDeps,
  context: HandleContext,
  log: Logger,
): Promise<Candidate> {
  const { tracker, clock } = deps;
  log.info("claim_check", { bucket: claim.bucket, object_key: claim.object, operation: claim.operation });
  const bytes = await openClaim(deps.store, claim, {
    allowedBuckets: [deps.processedBucket],
    maxBytes: deps.claimMaxBytes,
  });
  const members = (await fetchMembers?.()) ?? [];
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
  const patient = patientTracker(deps, log, context.signal);
  await logRun(patient, run.runId, fitted, claim.config_hash, seconds);
  await storeArtifact(patient, run.runId, fitted.artifact);
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
