import { readDocument } from "@flts/common/claim-check/documents";
import { type Decision, decision as decisionSchema } from "@flts/common/contracts/decision";
import { keys } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { InspectedRun } from "./inspect-run.ts";
import type { Ledger } from "./ledger.ts";

/** What the books say, for people: nothing here changes them. */
export interface BookDeps {
  readonly store: ObjectStore;
  readonly promotionBucket: string;
}

/** Every decision about a round, the latest first: a decision against a later champion is the later one. */
export async function decisionsAbout(
  round: string,
  { store, promotionBucket: bucket }: BookDeps,
): Promise<readonly Decision[]> {
  const decisions: Decision[] = [];
  for await (const { key } of store.list(bucket, keys.decisionsAbout(round))) {
    const stored = await readDocument(store, { bucket, key }, decisionSchema, "POINTER_INVALID");
    if (stored !== null) decisions.push(stored.document);
  }
  return decisions.toSorted(
    (a, b) => b.base_epoch - a.base_epoch || weighed(b) - weighed(a) || b.attempt - a.attempt,
  );
}

/** A round's decisions grow: the later one has weighed more trainings. */
const weighed = ({ scoreboard, failed }: Decision): number => scoreboard.length + failed.length;

/** Promotions of a station, the latest first. */
export async function lastPromotions(
  identifier: string,
  limit: number,
  ledger: Ledger,
): Promise<readonly Promotion[]> {
  const champion = await ledger.champion(identifier);
  return champion === null ? [] : ledger.upTo(identifier, champion.epoch, limit);
}

/** What the gate said against a run, when it was last asked. */
export async function gateObjections(
  { run, manifest }: InspectedRun,
  deps: BookDeps,
): Promise<readonly string[]> {
  for (const { scoreboard, decision_id, reason } of await decisionsAbout(manifest.round, deps)) {
    const row = scoreboard.find(({ run_id }) => run_id === run.runId);
    if (row === undefined) continue;
    return row.verdict === "rejected"
      ? [`the gate rejected run ${run.runId} in decision ${decision_id.slice(0, 12)} (${reason})`]
      : [];
  }
  return [];
}

/** A model that a station has had, under its version. */
export interface RegisteredModel {
  readonly version: string | null;
  readonly run_id: string;
  readonly model_type: string;
  readonly config_hash: string;
  readonly round: string;
  readonly manifest_sha256: string;
  readonly feature_schema: string | null;
  readonly rmse: number;
  readonly mae: number;
  readonly mse: number;
  readonly score: number;
  /** Every epoch in which it was the champion, the latest first. */
  readonly epochs: readonly number[];
  /** `champion`, `previous`. */
  readonly aliases: readonly string[];
}

/** The models of a station's promotions, the latest first. */
export function modelsOf(promotions: readonly Promotion[]): readonly RegisteredModel[] {
  const [champion] = promotions;
  const previous = promotions.find(({ run_id }) => run_id !== champion?.run_id);
  return [...Map.groupBy(promotions, ({ run_id }) => run_id)].map(([runId, entries]) => {
    const latest = entries[0]!;
    const aliases = [
      ...(runId === champion?.run_id ? ["champion"] : []),
      ...(runId === previous?.run_id ? ["previous"] : []),
    ];
    return {
      version: latest.version ?? null,
      run_id: runId,
      model_type: latest.model_type,
      config_hash: latest.config_hash,
      round: latest.round,
      manifest_sha256: latest.manifest_sha256,
      feature_schema: latest.feature_schema ?? null,
      rmse: latest.rmse,
      mae: latest.mae,
      mse: latest.mse,
      score: latest.score,
      epochs: entries.map(({ epoch }) => epoch),
      aliases,
    };
  });
}
