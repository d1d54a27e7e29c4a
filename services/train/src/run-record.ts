import type { Candidate } from "@flts/common/contracts/candidate";
import type { TrainingClaim } from "@flts/common/contracts/claim";
import { hasCode } from "@flts/common/contracts/errors";
import { sha256 } from "@flts/common/contracts/identity";
import type { Run, RunTracker } from "@flts/common/ports/run-tracker";
import { fetchArtifact, MANIFEST } from "@flts/families/artifact";
import type { FittedModel } from "@flts/families/fit";
import type { Manifest } from "@flts/families/manifest";
import type { Work } from "./candidate.ts";

/**
 * Starts a run of the work. Every attempt has a run of its own: two trainers that share one could mix their files, and a promoted run's files must never change.
 */
export async function startRun(
  tracker: RunTracker,
  work: Work,
  claim: TrainingClaim,
  startedAt: number,
): Promise<{ readonly runId: string; readonly startedAt: number }> {
  const { runId } = await tracker.startRun({
    experiment: work.experiment,
    name: work.family,
    tags: {
      work_key: work.workKey,
      round: work.round,
      model_type: work.family,
      config_hash: claim.config_hash,
      identifier: claim.identifier,
    },
  });
  return { runId, startedAt };
}

/** The metric that says how long a training took, in seconds. */
const TRAIN_SECONDS = "train_seconds";

export interface TrainedRun {
  readonly run: Run;
  readonly manifest: Manifest;
  readonly manifestSha256: string;
  readonly seconds: number;
}

/** A run of the work whose model is whole: an earlier trainer stored it and did not live to make it the result. */
export async function findTrained(tracker: RunTracker, work: Work): Promise<TrainedRun | null> {
  for (const run of await tracker.findRuns(work.experiment, { work_key: work.workKey })) {
    if (run.status !== "RUNNING" && run.status !== "FINISHED") continue;
    const bytes = await tracker.getArtifact(run.runId, `${work.family}/${MANIFEST}`);
    if (bytes === null) continue;
    const manifestSha256 = sha256(bytes);
    try {
      const name = { runId: run.runId, family: work.family, manifestSha256 };
      const { manifest } = await fetchArtifact(tracker, name);
      return { run, manifest, manifestSha256, seconds: run.metrics[TRAIN_SECONDS] ?? 0 };
    } catch (error) {
      if (!hasCode(error, "ARTIFACT_INVALID")) throw error;
    }
  }
  return null;
}

/** Parameters, metrics by epoch, and the files that belong to the run and not to the model. */
export async function logRun(
  tracker: RunTracker,
  runId: string,
  fitted: FittedModel,
  configHash: string,
  seconds: number,
): Promise<void> {
  await tracker.logParams(runId, { ...fitted.params, config_hash: configHash });
  await tracker.logMetrics(runId, [...fitted.metrics, { name: TRAIN_SECONDS, value: seconds, step: 1 }]);
  for (const [path, bytes] of fitted.attachments) await tracker.putArtifact(runId, path, bytes);
}

/** Ends all runs of the candidate's work that are still open: its own as it ended, those of lost or crashed attempts as superseded. */
export async function closeRuns(tracker: RunTracker, candidate: Candidate): Promise<void> {
  const runs = await tracker.findRuns(candidate.experiment, { work_key: candidate.work_key });
  for (const run of runs.filter(({ status }) => status === "RUNNING")) {
    if (run.runId === candidate.run_id) {
      if (candidate.status === "FAILED")
        await tracker.setTags(run.runId, { code: candidate.code ?? "", reason: candidate.reason ?? "" });
      await tracker.endRun(run.runId, candidate.status === "SUCCESS" ? "FINISHED" : "FAILED");
      continue;
    }
    await tracker.setTags(run.runId, { superseded: candidate.run_id ?? "by a failure" });
    await tracker.endRun(run.runId, "KILLED");
  }
}
