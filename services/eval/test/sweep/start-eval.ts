import type { Emission } from "@flts/common/contracts/topic";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { ManualClock } from "@flts/testing/manual-clock";
import { type EvalDeps, evalStage } from "../../src/eval-stage.ts";
import type { SweepDeps } from "../../src/sweep/sweep.ts";
import { context, depsOn, eventOf, patienceFor, type Training } from "../builders.ts";

/** Two families that a round waits for. */
export const lstm: Training = { round: "a", family: "LSTM" };
export const gru: Training = { round: "a", family: "GRU" };

/** One eval's process: what it holds in memory is new with each. */
export function startEval(
  store: ObjectStore,
  clock: ManualClock,
  over: Partial<EvalDeps> = {},
): {
  readonly deps: SweepDeps;
  readonly published: Emission[];
  handle(training: Training): Promise<readonly Emission[]>;
} {
  const published: Emission[] = [];
  const deps: SweepDeps = {
    ...depsOn(store, { clock, patience: patienceFor(["GRU", "LSTM"]), ...over }),
    publish: async (emissions) => void published.push(...emissions),
    champions: { check: async () => undefined },
    registry: { flush: async () => undefined, follow: async () => undefined },
    onWaiting: () => undefined,
    onChampion: () => undefined,
  };
  return { deps, published, handle: (training) => evalStage.handle(eventOf(training), deps, context) };
}
