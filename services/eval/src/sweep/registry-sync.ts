import type { Decision } from "@flts/common/contracts/decision";
import { hasCode } from "@flts/common/contracts/errors";
import { stationOf } from "@flts/common/contracts/identity";
import type { Comparison, Promotion } from "@flts/common/contracts/promotion";
import type { ModelVersion, RunTracker } from "@flts/common/ports/run-tracker";
import type { Logger } from "@flts/common/service/logger";
import type { Ledger } from "../promotion/ledger.ts";
import type { UntoldDecisions } from "../round/untold.ts";

/**
 * Tells the run tracker what was decided: tags on the runs, a registered model per station, and its aliases `champion`, `previous` and `challenger`.
 * The tracker is never asked what is promoted: whatever is written here can be written again from the head, and an outage stops nothing.
 */
export interface RegistrySync {
  /** Tells of the decisions that it was not told of: the gate's verdicts on the runs, and a challenger that was held. */
  flush(): Promise<void>;
  /** Makes the registry name this champion; nothing to do when it was told already. */
  follow(champion: Promotion, previous: Promotion | null): Promise<void>;
}

export const registeredModelOf = (identifier: string): string => `flts-${stationOf(identifier)}`;

/** The tag that carries the version by which people call a model; the registry counts for itself. */
const VERSION_TAG = "semantic_version";

export interface RegistrySyncDeps {
  readonly tracker: RunTracker;
  readonly log: Logger;
  readonly untold: UntoldDecisions;
  readonly ledger: Pick<Ledger, "readDecision">;
}

export function createRegistrySync({ tracker, log, untold, ledger }: RegistrySyncDeps): RegistrySync {
  /** The last promotion that the registry was told of, by station: spares it the same words at every sweep. */
  const told = new Map<string, string>();

  /** Whether it need not be tried again: what the tracker refuses, it will refuse again. */
  async function bestEffort(identifier: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      log.error("promotion_registry_fail", error, { identifier });
      return !hasCode(error, "TRACKER_UNAVAILABLE");
    }
  }

  return {
    async follow(champion, previous) {
      const { identifier, promotion_id } = champion;
      if (told.get(stationOf(identifier)) === promotion_id) return;
      const done = await bestEffort(identifier, async () => {
        const model = registeredModelOf(identifier);
        const versions = await tracker.listModelVersions(model);
        const present = await versionOf(registrable(champion), versions, tracker);
        await tracker.setModelAlias(model, "champion", present.version);
        if (previous !== null && previous.run_id !== champion.run_id)
          await tracker.setModelAlias(
            model,
            "previous",
            (await versionOf(registrable(previous), versions, tracker)).version,
          );
        if (
          versions.some(({ runId, aliases }) => runId === champion.run_id && aliases.includes("challenger"))
        )
          await tracker.removeModelAlias(model, "challenger");
        await tracker.setTags(champion.run_id, {
          promoted: "true",
          promotion_epoch: String(champion.epoch),
          promotion_source: champion.source,
          ...(champion.version === undefined ? {} : { [VERSION_TAG]: champion.version }),
        });
      });
      if (done) told.set(stationOf(identifier), promotion_id);
    },

    async flush() {
      for await (const name of untold.list((error) => log.error("promotion_registry_fail", error))) {
        const decision = await ledger.readDecision(name.round, name.decision_id, name.attempt);
        // One that housekeeping has removed is of no round that anybody looks at.
        if (decision !== null && !(await tell(decision))) return;
        await untold.told(name);
      }
    },
  };

  function tell(decision: Decision): Promise<boolean> {
    return bestEffort(decision.identifier, async () => {
      for (const row of decision.scoreboard) await tracker.setTags(row.run_id, tagsOf(row, decision));
      const challenger = decision.scoreboard.find(({ run_id }) => run_id === decision.winner);
      if (decision.verdict !== "held" || challenger === undefined) return;
      const model = registeredModelOf(decision.identifier);
      const versions = await tracker.listModelVersions(model);
      const { version, aliases } = await versionOf(
        { identifier: decision.identifier, runId: challenger.run_id, family: challenger.model_type },
        versions,
        tracker,
      );
      // A champion that is measured anew against itself challenges nobody.
      if (!aliases.includes("champion")) await tracker.setModelAlias(model, "challenger", version);
    });
  }
}

/** A model as the registry shall know it. */
interface Registrable {
  readonly identifier: string;
  readonly runId: string;
  readonly family: string;
  /** None for a challenger. */
  readonly version?: string | undefined;
}

const registrable = ({ identifier, run_id, model_type, version }: Promotion): Registrable => ({
  identifier,
  runId: run_id,
  family: model_type,
  version,
});

/** The registered version of a model, made when there is none. */
async function versionOf(
  { identifier, runId, family, version }: Registrable,
  versions: readonly ModelVersion[],
  tracker: RunTracker,
): Promise<ModelVersion> {
  const found = versions.find(
    (one) => one.runId === runId && (version === undefined || one.tags[VERSION_TAG] === version),
  );
  if (found !== undefined) return found;
  return tracker.registerModel({
    model: registeredModelOf(identifier),
    runId,
    path: family,
    tags: version === undefined ? {} : { [VERSION_TAG]: version },
  });
}

/** The gate's words and numbers about one run, as tags are: text. */
function tagsOf(row: Decision["scoreboard"][number], decision: Decision): Record<string, string> {
  return {
    gate_verdict: row.run_id === decision.winner ? decision.verdict : (row.verdict ?? "not asked"),
    gate_mode: decision.gate,
    gate_reason: row.run_id === decision.winner ? decision.reason : "",
    gate_score: String(row.score),
    gate_skill: String(row.skill),
    gate_rows: String(decision.rows),
    gate_versus_persistence: interval(row.versus_persistence),
    gate_versus_champion: interval(row.versus_champion),
    gate_decision: `${decision.decision_id}:${decision.attempt}`,
  };
}

const interval = (comparison: Comparison | null | undefined): string =>
  comparison ? `${comparison.low} … ${comparison.high}` : "none";
