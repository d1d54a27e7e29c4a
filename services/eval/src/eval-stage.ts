import { modelTraining, type TrainingEvent } from "@flts/common/contracts/events";
import type { Stage } from "@flts/common/stage/stage";
import { assessRound, listCandidates, type Patience } from "./round/candidates.ts";
import { type DecideDeps, decideRound, decisionIdOf } from "./round/decide-round.ts";
import type { WaitingRoom } from "./round/waiting.ts";
import type { StationBook } from "./stations.ts";

export interface EvalDeps extends DecideDeps {
  readonly patience: Patience;
  readonly waiting: WaitingRoom;
  readonly stations: StationBook;
}

/**
 * Decides a round once every expected family has a candidate in the store. It remembers nothing: which candidates there are is a listing, what was
 * decided is a document, which rounds wait are objects that the sweep looks at, and a restart at any line changes nothing.
 */
export const evalStage: Stage<TrainingEvent, EvalDeps> = {
  name: "eval",
  consumes: modelTraining,

  async handle(event, deps) {
    const { round, status } = event;
    if (status === "RUNNING") {
      const { identifier, config_hash, run_name: model_type } = event;
      deps.log.info("promotion_ignore", { round, identifier, config_hash, status, model_type });
      return [];
    }
    const candidates = await listCandidates(round, deps);
    // Not as the event has it: a decision is written once, and one under another station's name would keep this one from its own.
    const { identifier, config_hash } = candidates[0] ?? event;
    const name = { round, identifier, config_hash };
    const log = deps.log.with(name);
    await deps.stations.note(identifier);
    const completeness = assessRound(candidates, deps.patience);
    const { have, missing, failed, waitMs } = completeness;
    if (waitMs > 0 && !(await isDecided())) {
      const expected = [...deps.patience.expectedFamilies];
      await deps.waiting.enter({ ...name, expected });
      log.info("promotion_waiting_for_models", {
        have,
        missing,
        failed,
        expected,
        wait_ms: waitMs,
      });
      return [];
    }
    if (missing.length + failed.length === 0) log.info("promotion_all_models_present", { have });
    else log.warn("promotion_partial_runs", { have, missing, failed });
    const emissions = await decideRound(name, candidates, completeness, deps);
    await deps.waiting.leave(round);
    return emissions;

    /** At its deadline, by the sweep: a repeated event publishes the same again. */
    async function isDecided(): Promise<boolean> {
      return (await deps.ledger.readDecision(round, decisionIdOf(round, candidates), 1)) !== null;
    }
  },
};
