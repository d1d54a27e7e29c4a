import { readDocument } from "@flts/common/claim-check/documents";
import { type Candidate, candidate as candidateSchema } from "@flts/common/contracts/candidate";
import { keys } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import { type InspectDeps, type InspectedRun, inspectRun } from "../promotion/inspect-run.ts";
import type { Ledger } from "../promotion/ledger.ts";
import type { Judgement } from "./decide-round.ts";
import { judgeRound, type ScoringDeps } from "./scoring.ts";

export interface DryRunDeps extends ScoringDeps, InspectDeps {
  readonly ledger: Ledger;
}

export interface DryRun {
  readonly champion: Promotion | null;
  readonly judgement: Judgement;
}

/** What the gate would say of a run alone against the present champion. Nothing is written. @throws as `inspectRun` */
export async function judgeRun(runId: string, identifier: string, deps: DryRunDeps): Promise<DryRun> {
  const inspected = await inspectRun({ runId, identifier, family: null, manifestSha256: null }, deps);
  const champion = await deps.ledger.champion(identifier);
  return { champion, judgement: await judgeRound([await candidateOf(inspected, deps)], champion, deps) };
}

/** The run's candidate; one made of its manifest where that is gone. */
async function candidateOf(
  { run, manifest, manifestSha256 }: InspectedRun,
  { store, promotionBucket: bucket }: DryRunDeps,
): Promise<Candidate> {
  const { round, family, work_key, identifier, config_hash, table, v } = manifest;
  const ref = { bucket, key: keys.candidate(round, family, work_key) };
  const stored = await readDocument(store, ref, candidateSchema, "POINTER_INVALID");
  return (
    stored?.document ?? {
      v,
      status: "SUCCESS",
      model_type: family,
      experiment: run.experiment,
      identifier,
      config_hash,
      round,
      work_key,
      run_id: run.runId,
      manifest_sha256: manifestSha256,
      table,
      started_at: run.startedAt,
      seconds: 0,
    }
  );
}
