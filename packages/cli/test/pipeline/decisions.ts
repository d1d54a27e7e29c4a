import { writeDocument } from "@flts/common/claim-check/documents";
import type { Candidate } from "@flts/common/contracts/candidate";
import type { Decision } from "@flts/common/contracts/decision";
import { buckets, keys } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { ObjectStore } from "@flts/common/ports/object-store";

const table = { bucket: "processed-data", object: "t.parquet", size: 1, sha256: "0".repeat(64) };

export function buildRow(family: string, over: Partial<Decision["scoreboard"][number]> = {}) {
  return {
    model_type: family,
    run_id: `run-${family}`,
    work_key: `work-${family}`,
    manifest_sha256: "1".repeat(64),
    experiment: "Default",
    rmse: 0.04,
    mae: 0.02,
    mse: 0.0016,
    r2: 0.5,
    score: 0.026,
    skill: 0.1,
    seconds: 2,
    ...over,
  };
}

export function buildCandidate(over: Partial<Candidate> = {}): Candidate {
  return {
    v: 1,
    status: "SUCCESS",
    model_type: "LINEAR",
    experiment: "Default",
    identifier: "",
    config_hash: "c1",
    round: "r1",
    work_key: "work-LINEAR",
    run_id: "run-LINEAR",
    manifest_sha256: "1".repeat(64),
    table,
    started_at: 0,
    seconds: 2,
    ...over,
  };
}

export function buildDecision(over: Partial<Decision> = {}): Decision {
  return {
    v: 1,
    decision_id: "d1",
    attempt: 1,
    identifier: "",
    config_hash: "c1",
    round: "r1",
    timestamp: "2026-01-01T00:00:00.000Z",
    table,
    rows: 1582,
    scoreboard: [buildRow("LINEAR")],
    baselines: {
      persistence: { rmse: 0.05, mae: 0.03, r2: 0.2 },
      ewma: { rmse: 0.06, mae: 0.04, r2: null },
    },
    failed: [],
    missing: [],
    held_for: [],
    gate: "strict",
    base_epoch: 0,
    champion: null,
    verdict: "cold_start",
    winner: "run-LINEAR",
    reason: "no champion yet",
    versus_persistence: null,
    versus_champion: null,
    ...over,
  };
}

export function buildPromotion(decision: Decision, over: Partial<Promotion> = {}): Promotion {
  const [winner] = decision.scoreboard;
  return {
    identifier: decision.identifier,
    config_hash: decision.config_hash,
    run_id: winner?.run_id ?? "",
    model_type: winner?.model_type ?? "",
    experiment: "Default",
    model_uri: `runs:/${winner?.run_id}/${winner?.model_type}`,
    rmse: 0.04,
    mae: 0.02,
    mse: 0.0016,
    score: 0.026,
    timestamp: decision.timestamp,
    weights: { rmse: 0.5, mae: 0.3, mse: 0.2 },
    v: 1,
    epoch: decision.base_epoch + 1,
    promotion_id: `${decision.decision_id}:${decision.attempt}`,
    source: "gate",
    verdict: decision.verdict,
    round: decision.round,
    work_key: winner?.work_key ?? "",
    manifest_sha256: "1".repeat(64),
    previous_epoch: decision.base_epoch === 0 ? null : decision.base_epoch,
    ...over,
  };
}

export async function storeDecision(store: ObjectStore, decision: Decision): Promise<void> {
  const { round, decision_id, attempt } = decision;
  await store.ensureBucket(buckets.promotion);
  const ref = { bucket: buckets.promotion, key: keys.decision(round, decision_id, attempt) };
  await writeDocument(store, ref, decision);
}

/** The history entry and the head that a promotion leaves. */
export async function storePromotion(store: ObjectStore, promotion: Promotion): Promise<void> {
  const { identifier, epoch } = promotion;
  for (const key of [keys.history(identifier, epoch), keys.head(identifier)])
    await writeDocument(store, { bucket: buckets.promotion, key }, promotion);
}
