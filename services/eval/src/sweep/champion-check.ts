import { codeOf, hasCode } from "@flts/common/contracts/errors";
import { stationOf } from "@flts/common/contracts/identity";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { Clock } from "@flts/common/ports/clock";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import type { Logger } from "@flts/common/service/logger";
import { fetchArtifact } from "@flts/families/artifact";
import type { History } from "../promotion/history.ts";

/** Looks whether champions can still be had: a replica that starts tomorrow must find them. */
export interface ChampionCheck {
  check(champion: Promotion): Promise<void>;
}

export interface ChampionCheckDeps {
  readonly tracker: RunTracker;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told after each look. */
  readonly onChecked: (station: string, available: boolean) => void;
}

/** A look fetches all files of a model: not at every sweep. */
const EVERY_MS = 60_000;

export function createChampionCheck({ tracker, clock, log, onChecked }: ChampionCheckDeps): ChampionCheck {
  const looked = new Map<
    string,
    { readonly promotionId: string; readonly atMs: number; readonly code: string }
  >();
  return {
    async check(champion) {
      const station = stationOf(champion.identifier);
      const { promotion_id: promotionId, run_id, epoch, model_type } = champion;
      const before = looked.get(station);
      const atMs = clock.monotonicMs();
      if (before?.promotionId === promotionId && atMs - before.atMs < EVERY_MS) return;
      const lack = await lackOf(champion, tracker);
      const code = lack === null ? "" : codeOf(lack);
      const known = before?.promotionId === promotionId ? before.code : "";
      looked.set(station, { promotionId, atMs, code });
      onChecked(station, lack === null);
      if (code === known) return;
      const fields = { identifier: champion.identifier, run_id, epoch, model_type };
      if (lack === null) log.info("promotion_champion_available", fields);
      else
        log.error("promotion_champion_unavailable", lack, {
          ...fields,
          hint: "replicas that have it serve on; promote another run, or roll back to one that is whole",
        });
    },
  };
}

/** Why a champion cannot be had; null when it can. @throws TRACKER_UNAVAILABLE: nobody knows */
export async function lackOf(
  { run_id, model_type, manifest_sha256 }: Promotion,
  tracker: RunTracker,
): Promise<Error | null> {
  try {
    await fetchArtifact(tracker, { runId: run_id, family: model_type, manifestSha256: manifest_sha256 });
    return null;
  } catch (error) {
    if (hasCode(error, "RUN_MISSING", "ARTIFACT_INVALID")) return error;
    throw error;
  }
}

/** Runs that are looked at in a lost one's place, as replicas do. */
const MOST_STEPS_BACK = 20;

/** What a replica that starts now serves in place of a champion that is lost: the latest promotion before it whose files are whole; null when there is none. */
export async function lastWholeBefore(
  lost: Promotion,
  history: Pick<History, "upTo">,
  tracker: RunTracker,
): Promise<Promotion | null> {
  const earlier = await history.upTo(lost.identifier, lost.epoch - 1);
  const byRun = new Map(earlier.toReversed().map((one) => [one.run_id, one])); // The latest of each run stays.
  byRun.delete(lost.run_id);
  const candidates = [...byRun.values()].toSorted((a, b) => b.epoch - a.epoch);
  for (const promotion of candidates.slice(0, MOST_STEPS_BACK))
    if ((await lackOf(promotion, tracker)) === null) return promotion;
  return null;
}
