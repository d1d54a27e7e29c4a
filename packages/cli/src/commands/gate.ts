import type { Backends } from "@flts/backends/connect";
import { buckets } from "@flts/common/contracts/layout";
import type { Comparison } from "@flts/common/contracts/promotion";
import { loadConfig, setting } from "@flts/common/service/config";
import { createLogger } from "@flts/common/service/logger";
import { createLedger } from "@flts/eval/promotion/ledger";
import { type DryRunDeps, judgeRun } from "@flts/eval/round/dry-run";
import { gateModes } from "@flts/forecasting/evaluation/gate";
import { shortId } from "../pipeline/narrate.ts";
import { fixed, significant } from "../terminal/numbers.ts";
import type { Output } from "../terminal/output.ts";

/** A table is read whole, as eval does. */
const CLAIM_MAX_BYTES = 1024 ** 3;

/** What judging needs, by the settings that eval would have. */
export function judgingOn(
  { store, tracker }: Backends,
  environment: Readonly<Record<string, string | undefined>>,
): DryRunDeps {
  const { PROMOTION_GATE } = loadConfig({ PROMOTION_GATE: setting.choice(gateModes, "strict") }, environment);
  return {
    store,
    tracker,
    gate: PROMOTION_GATE,
    ledger: createLedger(store, buckets.promotion),
    log: createLogger({ service: "flts", level: "silent", pretty: false }),
    promotionBucket: buckets.promotion,
    processedBucket: buckets.processed,
    claimMaxBytes: CLAIM_MAX_BYTES,
  };
}

/** `flts gate --dry-run`: what the gate would say of a run against the present champion. */
export async function gateDryRun(
  deps: DryRunDeps,
  { runId, identifier }: { readonly runId: string; readonly identifier: string },
  output: Output,
): Promise<void> {
  const { champion, judgement } = await judgeRun(runId, identifier, deps);
  const { verdict, reason, rows, scoreboard, versus_persistence, versus_champion } = judgement;
  const [row] = scoreboard;
  output.say(
    output.style.strong(`${verdict}: ${reason}`),
    `gate ${deps.gate}, ${rows} rows, ${champion === null ? "no champion" : `champion ${champion.model_type} ${shortId(champion.run_id)} of epoch ${champion.epoch}`}`,
    `score ${significant(row?.score ?? Number.NaN, 4)}, rmse ${significant(row?.rmse ?? Number.NaN, 4)}, skill ${fixed(row?.skill, 3)}`,
    ...comparisonLines({ persistence: versus_persistence, "the champion": versus_champion }),
    output.style.faint("Nothing was written or promoted."),
  );
  output.result({ runId, identifier, champion, judgement });
}

/** Differences of mean squared errors with their intervals; below 0 is better. */
export const comparisonLines = (rivals: Readonly<Record<string, Comparison | null>>): readonly string[] =>
  Object.entries(rivals).flatMap(([name, comparison]) =>
    comparison === null
      ? []
      : [
          `squared error against ${name}: ${significant(comparison.difference, 3)}, 90 % interval ${significant(comparison.low, 3)} … ${significant(comparison.high, 3)}`,
        ],
  );
