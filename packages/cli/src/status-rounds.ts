import { type Candidate, candidate as candidateSchema } from "@flts/common/contracts/candidate";
import { stationOf } from "@flts/common/contracts/identity";
import { buckets, keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { assessRound } from "@flts/eval/round/candidates";
import { type WaitingRound, waitingRound } from "@flts/eval/round/waiting";
import { listDecisions } from "./pipeline/outcome.ts";
import { readDocuments } from "./read-documents.ts";

export interface RoundReport {
  readonly round: string;
  readonly identifier: string;
  readonly configHash: string;
  readonly candidates: readonly {
    readonly family: string;
    readonly status: "SUCCESS" | "FAILED";
    readonly runId: string | null;
    readonly seconds: number;
    readonly reason: string | null;
  }[];
  /** Null when it waits for nothing, or eval has not looked at it. */
  readonly waiting: {
    /** ISO 8601, UTC. */
    readonly since: string;
    /** Expected families that nothing was heard of. */
    readonly missing: readonly string[];
    /** Those whose trainings all failed. */
    readonly failed: readonly string[];
  } | null;
  /** The latest; null while eval has not decided. */
  readonly verdict: string | null;
  readonly reason: string | null;
}

/** Every round that has a candidate, with what became of it and what it waits for. */
export async function reportRounds(store: ObjectStore): Promise<readonly RoundReport[]> {
  const all = await readDocuments(store, within(keys.candidates), candidateSchema);
  const waits = await readDocuments(store, within(keys.waitingRounds), waitingRound);
  return Promise.all(
    [...Map.groupBy(all, ({ round }) => round)].map(async ([round, candidates]) => {
      const decisions = await listDecisions(store, round);
      const latest = decisions.toSorted((a, b) => b.timestamp.localeCompare(a.timestamp))[0];
      const wait = waits.find((one) => one.round === round);
      return {
        round,
        identifier: stationOf(candidates[0]?.identifier ?? ""),
        configHash: candidates[0]?.config_hash ?? "",
        candidates: candidates.map(({ model_type, status, run_id, seconds, reason }) => ({
          family: model_type,
          status,
          runId: run_id,
          seconds,
          reason: reason ?? null,
        })),
        waiting: wait === undefined ? null : waitOf(wait, candidates),
        verdict: latest?.verdict ?? null,
        reason: latest?.reason ?? null,
      };
    }),
  );
}

const within = (prefix: string) => ({ bucket: buckets.promotion, prefix });

/** What a round still lacks of what it needs. */
function waitOf(
  { since, expected }: WaitingRound,
  candidates: readonly Candidate[],
): NonNullable<RoundReport["waiting"]> {
  const { missing, failed } = assessRound(candidates, {
    expectedFamilies: expected,
    missingWaitMs: 0,
    failedWaitMs: 0,
  });
  return { since, missing, failed };
}
