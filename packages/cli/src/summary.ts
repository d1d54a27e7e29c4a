import type { Decision } from "@flts/common/contracts/decision";
import type { Promotion } from "@flts/common/contracts/promotion";
import { type ForecastPoint, namedPoint } from "./forecast.ts";
import type { Outcome } from "./pipeline/outcome.ts";

/** All that is known at the end of a demonstration. */
export interface RoundFacts {
  readonly dataset: string;
  readonly rows: { readonly train: number; readonly test: number };
  readonly columnNames: readonly string[];
  readonly configHash: string;
  readonly round: string;
  readonly outcome: Outcome;
  readonly target: string;
  readonly forecast: readonly ForecastPoint[];
  /** Of this run: work that was done before takes none. */
  readonly seconds: {
    readonly preprocess: number;
    readonly train: number;
    readonly eval: number;
    readonly total: number;
  };
}

/** The summary as the one JSON object that `flts demo --json` ends with. Errors are on scaled targets over the round's score rows. */
export function summaryJson(facts: RoundFacts) {
  const { outcome, target } = facts;
  return {
    dataset: facts.dataset,
    rows: facts.rows,
    columns: facts.columnNames.length,
    columnNames: facts.columnNames,
    configHash: facts.configHash,
    round: facts.round,
    families: outcome.decision.scoreboard.map(familyJson),
    failed: outcome.decision.failed.map(({ model_type, code, reason }) => ({
      family: model_type,
      code,
      reason,
    })),
    baselines: outcome.decision.baselines,
    verdict: outcome.decision.verdict,
    promoted: outcome.promotion === null ? null : promotedJson(outcome.promotion),
    forecast: facts.forecast.map((point) => namedPoint(target, point)),
    seconds: mapValues(facts.seconds, (value) => Number(value.toFixed(3))),
  };
}

function familyJson(row: Decision["scoreboard"][number]) {
  const { model_type, run_id, seconds, rmse, mae, mse, r2, score, skill } = row;
  return { family: model_type, runId: run_id, seconds, rmse, mae, mse, r2, score, skill };
}

const promotedJson = ({ model_type, run_id, epoch, verdict }: Promotion) => ({
  family: model_type,
  runId: run_id,
  epoch,
  verdict,
});

function mapValues<Key extends string>(
  record: Readonly<Record<Key, number>>,
  change: (value: number) => number,
): Record<Key, number> {
  return Object.fromEntries(
    Object.entries<number>(record).map(([key, value]) => [key, change(value)]),
  ) as Record<Key, number>;
}
