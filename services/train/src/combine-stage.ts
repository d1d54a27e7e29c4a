import type { Candidate } from "@flts/common/contracts/candidate";
import { MESSAGE_VERSION, type TrainingClaim } from "@flts/common/contracts/claim";
import { modelTraining, type TrainingEvent } from "@flts/common/contracts/events";
import { workKeyOf } from "@flts/common/contracts/identity";
import { emit } from "@flts/common/contracts/topic";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import type { Stage } from "@flts/common/stage/stage";
import { type Artifact, fetchArtifact } from "@flts/families/artifact";
import { listCandidates, outcomeEvent, type Work } from "./candidate.ts";
import { settleFailure, type TrainDeps, trainOnce } from "./train-once.ts";

export interface CombineDeps extends TrainDeps {
  /** Families that a round must have heard of, successful or failed, before its models are combined; this one aside. */
  readonly expectedFamilies: readonly string[];
}

/**
 * Trains a family that is made of the round's other models, once each expected family has a candidate in the store. It remembers nothing: a candidate is
 * written before its event is published, so whoever hears the last event finds all of them, however often it is restarted. Which models were combined is part
 * of the work key: one that is trained later makes another work.
 */
export const combineStage: Stage<TrainingEvent, CombineDeps> = {
  name: "train",
  consumes: modelTraining,

  async handle(event, deps, context) {
    const combination = await combinationOf(event, deps);
    if (combination === null) return [];
    const { claim, work, members } = combination;
    const candidate =
      members.length < 2
        ? await settleFailure(claim, work, tooFew(members), deps)
        : await trainOnce(
            { claim, work, fetchMembers: () => fetchMembers(members, deps.tracker) },
            deps,
            context,
          );
    return [emit(modelTraining, outcomeEvent(candidate))];
  },

  /** Eval must not wait for a training that nobody will attempt again. */
  async giveUp(event, failure, deps) {
    const combination = await combinationOf(event, deps);
    if (combination === null) return [];
    const failed = await settleFailure(combination.claim, combination.work, failure, deps);
    return [emit(modelTraining, outcomeEvent(failed))];
  },
};

interface Combination {
  readonly work: Work;
  /** The round's table. */
  readonly claim: TrainingClaim;
  readonly members: readonly Candidate[];
}

/** What there is to combine now; null while a family is awaited. */
async function combinationOf(event: TrainingEvent, deps: CombineDeps): Promise<Combination | null> {
  const { family, settings, targets, nonce } = deps;
  if (event.status === "RUNNING" || event.run_name === family.name) return null;
  const candidates = (await listCandidates(deps.store, deps.promotionBucket, event.round)).filter(
    ({ model_type }) => model_type !== family.name,
  );
  const have = new Set(candidates.map(({ model_type }) => model_type));
  const missing = deps.expectedFamilies.filter((name) => name !== family.name && !have.has(name));
  const [any] = candidates;
  if (any === undefined || missing.length > 0) {
    deps.log.info("train_waiting_for_models", { round: event.round, have: [...have], missing });
    return null;
  }
  const members = latestOfEach(candidates.filter(({ status }) => status === "SUCCESS"));
  const workKey = workKeyOf({
    round: event.round,
    family: family.name,
    settings: { ...settings, targets, members: members.map(({ work_key }) => work_key) },
    nonce,
  });
  return {
    members,
    claim: claimOf(members[0] ?? any),
    work: { round: event.round, workKey, family: family.name, experiment: family.experiment },
  };
}

/** One candidate of each family, sorted by its name: the one that began last. */
function latestOfEach(candidates: readonly Candidate[]): readonly Candidate[] {
  const byFamily = new Map<string, Candidate>();
  for (const candidate of candidates.toSorted(
    (a, b) => a.started_at - b.started_at || (a.work_key < b.work_key ? -1 : 1),
  ))
    byFamily.set(candidate.model_type, candidate);
  return [...byFamily.values()].toSorted((a, b) => (a.model_type < b.model_type ? -1 : 1));
}

function claimOf({ table, config_hash, identifier, round }: Candidate): TrainingClaim {
  const { bucket, object, size, sha256 } = table;
  return {
    v: MESSAGE_VERSION,
    bucket,
    object,
    size,
    ...(sha256 === "" ? {} : { sha256 }),
    config_hash,
    identifier,
    round,
  };
}

const tooFew = (members: readonly Candidate[]) => ({
  code: "MEMBERS_MISSING",
  reason: `nothing to combine: of the round's trainings ${members.length === 0 ? "none" : `only ${members[0]?.model_type}`} succeeded`,
});

/** @throws RUN_MISSING, ARTIFACT_INVALID, TRACKER_UNAVAILABLE */
async function fetchMembers(
  members: readonly Candidate[],
  tracker: RunTracker,
): Promise<readonly Artifact[]> {
  const artifacts: Artifact[] = [];
  for (const { run_id, model_type, manifest_sha256 } of members)
    artifacts.push(
      await fetchArtifact(tracker, {
        runId: run_id ?? "",
        family: model_type,
        manifestSha256: manifest_sha256,
      }),
    );
  return artifacts;
}
