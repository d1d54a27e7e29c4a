import { writeDocument } from "@flts/common/claim-check/documents";
import type { Candidate } from "@flts/common/contracts/candidate";
import type { Decision, ScoreRow } from "@flts/common/contracts/decision";
import type { TrainingEvent } from "@flts/common/contracts/events";
import { sha256 } from "@flts/common/contracts/identity";
import { buckets, keys } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Logger } from "@flts/common/service/logger";
import type { HandleContext } from "@flts/common/stage/stage";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import type { EvalDeps } from "../src/eval-stage.ts";
import { createLedger } from "../src/promotion/ledger.ts";
import { promotionOf, winnerOf } from "../src/promotion/promotion-of.ts";
import type { Patience } from "../src/round/candidates.ts";
import type { Judgement } from "../src/round/decide-round.ts";
import { createUntoldDecisions } from "../src/round/untold.ts";
import { createWaitingRoom } from "../src/round/waiting.ts";
import { createStationBook } from "../src/stations.ts";

/** Candidates, events and judgements of made-up rounds. A round is named by a word; its ids follow from that. */

export const bucket = buckets.promotion;

const table = { bucket: buckets.processed, object: "o.parquet", size: 7, sha256: "a".repeat(64) };

export interface Training {
  readonly round: string;
  readonly family?: string;
  readonly identifier?: string;
  /** Tells trainings of one family in one round apart. */
  readonly nonce?: string;
  readonly status?: Candidate["status"];
}

export function candidateOf({
  round,
  family = "LINEAR",
  identifier = "",
  nonce = "",
  status = "SUCCESS",
}: Training): Candidate {
  const runId = `run-${round}-${family}${nonce}`;
  return {
    v: 1,
    status,
    model_type: family,
    experiment: "FLTS",
    identifier,
    config_hash: "c",
    round: sha256(round),
    work_key: sha256(runId),
    run_id: status === "SUCCESS" ? runId : null,
    manifest_sha256: status === "SUCCESS" ? sha256(`manifest of ${runId}`) : null,
    table,
    started_at: 0,
    seconds: 1,
    ...(status === "FAILED" ? { code: "TRAINING_DIVERGED", reason: "the loss is NaN" } : {}),
  };
}

export async function storeCandidate(store: ObjectStore, training: Training): Promise<Candidate> {
  const candidate = candidateOf(training);
  const key = keys.candidate(candidate.round, candidate.model_type, candidate.work_key);
  await writeDocument(store, { bucket, key }, candidate);
  return candidate;
}

export function eventOf(training: Training): TrainingEvent {
  const { status, experiment, model_type, config_hash, identifier, round, work_key, run_id } =
    candidateOf(training);
  const common = {
    v: 1 as const,
    experiment,
    run_name: model_type,
    config_hash,
    identifier,
    round,
    work_key,
  };
  return status === "SUCCESS" && run_id !== null
    ? { ...common, operation: `Trained: ${model_type}`, status, run_id }
    : {
        ...common,
        operation: `Training Failed: ${model_type}`,
        status: "FAILED",
        run_id: null,
        code: "C",
        reason: "r",
      };
}

/** Promotes the first candidate that did not fail, as the gate would a clear winner; nobody when all failed. */
export function promoteFirst(candidates: readonly Candidate[], champion: Promotion | null): Judgement {
  const scoreboard = candidates.filter(({ status }) => status === "SUCCESS").map(scoreRowOf);
  const winner = scoreboard[0]?.run_id ?? null;
  return {
    table,
    rows: 1_500,
    scoreboard,
    baselines: null,
    failed: [],
    gate: "strict",
    champion:
      champion === null ? null : { run_id: champion.run_id, model_type: champion.model_type, rmse: 0.4 },
    verdict: winner === null ? "rejected" : champion === null ? "cold_start" : "promoted",
    winner,
    reason: "made up",
    versus_persistence: null,
    versus_champion: null,
  };
}

export function scoreRowOf({
  model_type,
  run_id,
  work_key,
  manifest_sha256,
  experiment,
  seconds,
}: Candidate): ScoreRow {
  return {
    model_type,
    run_id: run_id ?? "",
    work_key,
    manifest_sha256: manifest_sha256 ?? "",
    experiment,
    rmse: 0.3,
    mae: 0.2,
    mse: 0.09,
    r2: 0.5,
    score: 0.228,
    skill: 0.1,
    seconds,
  };
}

/** The decision that promotes a training against the given epoch. */
export function decisionOf(training: Training, baseEpoch: number, attempt = 1): Decision {
  const candidate = candidateOf(training);
  return {
    ...promoteFirst([candidate], null),
    v: 1,
    decision_id: sha256(`decision about ${training.round}`),
    attempt,
    identifier: candidate.identifier,
    config_hash: candidate.config_hash,
    round: candidate.round,
    timestamp: "2026-01-01T00:00:00.000Z",
    missing: [],
    held_for: [],
    base_epoch: baseEpoch,
  };
}

/** The promotion that a decision calls for on a station without versions. */
export const promotionBy = (decided: Decision): Promotion =>
  promotionOf(decided, winnerOf(decided), { version: "1.0.0", highest_version: "1.0.0" });

/** What the shell gives to a first attempt that nobody stops. */
export const context: HandleContext = {
  signal: new AbortController().signal,
  attempt: 1,
  headers: {},
  publish: () => Promise.resolve(),
};

export async function createStore(): Promise<ObjectStore> {
  const store = createMemoryStore();
  await store.ensureBucket(bucket);
  return store;
}

/** An hour for what is missing, nothing for what failed. */
export const patienceFor = (expectedFamilies: readonly string[]): Patience => ({
  expectedFamilies,
  missingWaitMs: 3_600_000,
  failedWaitMs: 0,
});

export function depsOn(store: ObjectStore, overrides: Partial<EvalDeps> = {}): EvalDeps {
  const clock = overrides.clock ?? createManualClock();
  return {
    store,
    tracker: createMemoryTracker(),
    ledger: createLedger(store, bucket),
    clock,
    log: quiet,
    promotionBucket: bucket,
    untold: createUntoldDecisions(store, bucket),
    waiting: createWaitingRoom(store, bucket, clock),
    stations: createStationBook(store, bucket),
    patience: patienceFor(["LINEAR"]),
    incomplete: "go_on",
    judgeRound: async (candidates, champion) => promoteFirst(candidates, champion),
    onDecided: () => undefined,
    ...overrides,
  };
}

export const quiet: Logger = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => quiet,
};
