import { readDocument, writeDocument } from "@flts/common/claim-check/documents";
import { type Candidate, candidate as candidateSchema } from "@flts/common/contracts/candidate";
import { MESSAGE_VERSION, type TrainingClaim } from "@flts/common/contracts/claim";
import { FltsError, hasCode } from "@flts/common/contracts/errors";
import type { TrainingEvent, TrainingOutcome } from "@flts/common/contracts/events";
import { keys } from "@flts/common/contracts/layout";
import { describeRef, type ObjectRef, type ObjectStore } from "@flts/common/ports/object-store";

/** What is to be done, by its name. */
export interface Work {
  readonly round: string;
  readonly workKey: string;
  readonly family: string;
  readonly experiment: string;
}

/** What a training came to: the part of a candidate that its work and claim do not already say. */
export type Outcome = Pick<
  Candidate,
  "status" | "run_id" | "manifest_sha256" | "table" | "started_at" | "seconds" | "code" | "reason"
>;

const refOf = (bucket: string, { round, family, workKey }: Work): ObjectRef => ({
  bucket,
  key: keys.candidate(round, family, workKey),
});

/** The work's result if it has one. */
export async function readCandidate(
  store: ObjectStore,
  bucket: string,
  work: Work,
): Promise<Candidate | null> {
  const stored = await readDocument(store, refOf(bucket, work), candidateSchema, "POINTER_INVALID");
  return stored?.document ?? null;
}

/** Whether the work has a result, without reading it. */
export const hasCandidate = async (store: ObjectStore, bucket: string, work: Work): Promise<boolean> =>
  (await store.head(refOf(bucket, work))) !== null;

/** Every result that a round has. */
export async function listCandidates(
  store: ObjectStore,
  bucket: string,
  round: string,
): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for await (const { key } of store.list(bucket, keys.candidatesOf(round))) {
    const stored = await readDocument(store, { bucket, key }, candidateSchema, "POINTER_INVALID");
    if (stored !== null) candidates.push(stored.document);
  }
  return candidates;
}

/** Makes `outcome` the work's one visible result, unless there is one: then that. */
export async function settleCandidate(
  store: ObjectStore,
  bucket: string,
  work: Work,
  claim: TrainingClaim,
  outcome: Outcome,
): Promise<Candidate> {
  const mine: Candidate = {
    v: MESSAGE_VERSION,
    model_type: work.family,
    experiment: work.experiment,
    identifier: claim.identifier,
    config_hash: claim.config_hash,
    round: work.round,
    work_key: work.workKey,
    ...outcome,
  };
  const ref = refOf(bucket, work);
  try {
    await writeDocument(store, ref, mine, { ifNoneMatch: "*" });
    return mine;
  } catch (error) {
    if (!hasCode(error, "OBJECT_CONFLICT")) throw error;
    const first = await readCandidate(store, bucket, work);
    if (first === null)
      throw new FltsError("OBJECT_CONFLICT", `created and gone again: ${describeRef(ref)}`, error);
    return first;
  }
}

/** The event that says a training has begun. */
export function runningEvent(work: Work, claim: TrainingClaim, runId: string): TrainingEvent {
  return {
    v: MESSAGE_VERSION,
    operation: `Training Started: ${work.family}`,
    status: "RUNNING",
    experiment: work.experiment,
    run_name: work.family,
    run_id: runId,
    config_hash: claim.config_hash,
    identifier: claim.identifier,
    round: work.round,
    work_key: work.workKey,
  };
}

/** The event of a candidate: a function of the stored document alone, so that publishing it again publishes the same (I2). */
export function outcomeEvent(candidate: Candidate): TrainingOutcome {
  const common = {
    v: MESSAGE_VERSION,
    experiment: candidate.experiment,
    run_name: candidate.model_type,
    config_hash: candidate.config_hash,
    identifier: candidate.identifier,
    round: candidate.round,
    work_key: candidate.work_key,
  } as const;
  if (candidate.status === "SUCCESS" && candidate.run_id !== null)
    return {
      ...common,
      operation: `Trained: ${candidate.model_type}`,
      status: "SUCCESS",
      run_id: candidate.run_id,
    };
  return {
    ...common,
    operation: `Training Failed: ${candidate.model_type}`,
    status: "FAILED",
    run_id: candidate.run_id,
    code: candidate.code ?? "UNCLASSIFIED",
    reason: candidate.reason ?? "",
  };
}
