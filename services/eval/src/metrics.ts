import type { Decision } from "@flts/common/contracts/decision";
import { stationOf } from "@flts/common/contracts/identity";
import type { Promotion } from "@flts/common/contracts/promotion";
import { Counter, Gauge, type Registry } from "prom-client";

/** What eval exports beside what every process does: the gate's verdicts with their numbers, and the state of its stations. */
export interface EvalMetrics {
  decided(decision: Decision): void;
  champion(champion: Promotion): void;
  waiting(rounds: number): void;
  championChecked(station: string, available: boolean): void;
}

export function createEvalMetrics(registry: Registry): EvalMetrics {
  const registers = [registry];
  const verdicts = new Counter({
    name: "promotion_decisions_total",
    help: "Decisions acted on, by the gate's verdict; a repeated event counts again",
    labelNames: ["identifier", "verdict"],
    registers,
  });
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Gauge({ name, help, labelNames, registers });
  const epoch = gauge("promotion_epoch", "Epoch of the present champion", ["identifier"]);
  const skill = gauge(
    "promotion_skill",
    "1 - rmse / rmse of persistence, of the model that the last decision was about",
    ["identifier"],
  );
  const difference = gauge(
    "promotion_loss_difference",
    "Difference of mean squared errors to a rival and the bounds of its 90 % interval; below 0: better",
    ["identifier", "rival", "bound"],
  );
  const waiting = gauge("promotion_waiting_rounds", "Rounds that wait for models", []);
  const available = gauge("promotion_champion_available", "0 when a champion's run or files are gone", [
    "identifier",
  ]);
  return {
    decided(decision) {
      const identifier = stationOf(decision.identifier);
      verdicts.inc({ identifier, verdict: decision.verdict });
      const winner = decision.scoreboard.find(({ run_id }) => run_id === decision.winner);
      if (winner !== undefined) skill.set({ identifier }, winner.skill);
      for (const [rival, comparison] of [
        ["persistence", decision.versus_persistence],
        ["champion", decision.versus_champion],
      ] as const)
        for (const bound of ["difference", "low", "high"] as const) {
          const labels = { identifier, rival, bound };
          if (comparison === null) difference.remove(labels);
          else difference.set(labels, comparison[bound]);
        }
    },
    champion: (champion) => epoch.set({ identifier: stationOf(champion.identifier) }, champion.epoch),
    waiting: (rounds) => waiting.set(rounds),
    championChecked: (station, present) => available.set({ identifier: station }, Number(present)),
  };
}
