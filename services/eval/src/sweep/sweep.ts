import { modelSelected } from "@flts/common/contracts/events";
import type { Promotion } from "@flts/common/contracts/promotion";
import { type Emission, emit } from "@flts/common/contracts/topic";
import type { EvalDeps } from "../eval-stage.ts";
import { adoptPointers } from "../promotion/adoption.ts";
import { assessRound, listCandidates } from "../round/candidates.ts";
import { decideRound } from "../round/decide-round.ts";
import type { WaitingRound } from "../round/waiting.ts";
import type { ChampionCheck } from "./champion-check.ts";
import type { RegistrySync } from "./registry-sync.ts";

export interface SweepDeps extends EvalDeps {
  /** Resolves when the events are durable. */
  readonly publish: (emissions: readonly Emission[]) => Promise<void>;
  readonly champions: ChampionCheck;
  readonly registry: RegistrySync;
  /** Told how many rounds wait. */
  readonly onWaiting: (rounds: number) => void;
  /** Told of every station's champion. */
  readonly onChampion: (champion: Promotion) => void;
}

/**
 * What no event asks for: rounds whose wait is over, or whose last event was lost; pointers that people laid; copies that are behind; champions that are gone; a
 * registry that missed something. Each part is tried whatever became of the others, until the signal aborts.
 */
export async function sweep(deps: SweepDeps, signal: AbortSignal): Promise<void> {
  const failed = (error: unknown, what: Readonly<Record<string, unknown>>): void =>
    deps.log.error("promotion_sweep_fail", error, what);
  /** A part that fails is tried again by the next sweep, and one that a stop forestalls by the next process. */
  const attempt = async (
    what: Readonly<Record<string, unknown>>,
    work: () => Promise<void>,
  ): Promise<void> => {
    if (signal.aborted) return;
    try {
      await work();
    } catch (error) {
      failed(error, what);
    }
  };
  await attempt({ part: "waiting" }, async () => {
    const rounds = await deps.waiting.count((error) => failed(error, { part: "waiting" }));
    deps.onWaiting(rounds.length);
    for (const waiting of rounds)
      await attempt({ part: "waiting", round: waiting.round }, () => endWait(waiting, deps));
  });
  await attempt({ part: "registry" }, () => deps.registry.flush());
  await attempt({ part: "stations" }, async () => {
    for (const identifier of await deps.stations.list())
      await attempt({ part: "station", identifier }, () => sweepStation(identifier, deps));
  });
}

/** Decides a round that has what it waited for, or has waited long enough. Publishes before the round stops waiting. */
async function endWait(waiting: WaitingRound, deps: SweepDeps): Promise<void> {
  const { round, identifier, config_hash, waited_ms } = waiting;
  const candidates = await listCandidates(round, deps);
  const completeness = assessRound(candidates, deps.patience);
  const { have, missing, failed, waitMs } = completeness;
  if (waited_ms < waitMs) return;
  if (candidates.length > 0) {
    if (missing.length + failed.length > 0)
      deps.log.warn("promotion_partial_runs", { round, identifier, have, missing, failed, waited_ms });
    await deps.publish(await decideRound({ round, identifier, config_hash }, candidates, completeness, deps));
  }
  await deps.waiting.leave(round);
}

async function sweepStation(identifier: string, deps: SweepDeps): Promise<void> {
  const adopted = await adoptPointers(identifier, deps);
  if (adopted.length > 0) await deps.publish(adopted.map((one) => emit(modelSelected, one)));
  const champion = await deps.ledger.head(identifier);
  if (champion === null) return;
  deps.onChampion(champion);
  await deps.ledger.repairCopy(champion);
  await deps.champions.check(champion);
  const previous =
    champion.previous_epoch === null ? null : await deps.ledger.entry(identifier, champion.previous_epoch);
  await deps.registry.follow(champion, previous);
}

export interface Sweeping {
  /** Sweeps soon, whatever the interval says. */
  wake(): void;
  stop(): Promise<void>;
}

/** Sweeps again and again until stopped. */
export function startSweeping(deps: SweepDeps, intervalMs: number): Sweeping {
  const stopping = new AbortController();
  let woken = false;
  let nap = new AbortController();
  const wake = (): void => {
    woken = true;
    nap.abort();
  };
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      woken = false;
      await sweep(deps, stopping.signal);
      nap = new AbortController();
      if (!woken) await deps.clock.sleep(intervalMs, nap.signal);
    }
  })();
  return {
    wake,
    async stop() {
      stopping.abort();
      wake();
      await loop;
    },
  };
}
