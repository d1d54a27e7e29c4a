import type { meanNrmse, StationEvaluation } from "@flts/families/evaluation/station";
import type { Errors, Standing } from "@flts/forecasting/evaluation/standing";

/** What an evaluation's numbers mean. */
export interface Protocol {
  readonly targets: readonly string[];
  /** Steps ahead. */
  readonly horizon: number;
  readonly nrmse: string;
  readonly choice: string;
  readonly intervals: string;
  readonly pairs: string;
}

export const protocolOf = (targets: readonly string[]): Protocol => ({
  targets,
  horizon: 1,
  nrmse: "rmse / mean of the actual values, averaged over the targets; train and test files as given",
  choice: "best is what the gate would promote, from the train file alone",
  intervals:
    "coverage90 is the share of actual values inside; width90 the mean width / mean of the actual values",
  pairs: "difference of nrmse, negative where a is better, with its 90 % interval (moving-block bootstrap)",
});

/** An evaluation as `flts evaluate --json` ends with it. */
export function resultOf(
  protocol: Protocol,
  evaluations: readonly StationEvaluation[],
  mean: ReturnType<typeof meanNrmse>,
): unknown {
  return {
    protocol,
    stations: evaluations.map(
      ({ station, rows, best, verdict, reason, families, baselines, failed, pairs }) => ({
        station,
        rows,
        best,
        verdict,
        reason,
        families: families.map(({ name, seconds, perTarget, ...errors }) => ({
          family: name,
          ...figuresOf(errors),
          seconds,
          perTarget: Object.fromEntries(
            Object.entries(perTarget).map(([target, each]) => [target, figuresOf(each)]),
          ),
        })),
        baselines: baselines.map(baselineOf),
        failed,
        pairs,
      }),
    ),
    mean,
  };
}

const figuresOf = ({ nrmse, rmse, mae, r2, coverage, width }: Errors) => ({
  nrmse,
  rmse,
  mae,
  r2,
  coverage90: coverage,
  width90: width,
});

const baselineOf = ({ name, nrmse, rmse, mae, perTarget }: Standing) => ({
  name,
  nrmse,
  rmse,
  mae,
  perTarget: Object.fromEntries(
    Object.entries(perTarget).map(([target, each]) => [
      target,
      { nrmse: each.nrmse, rmse: each.rmse, mae: each.mae },
    ]),
  ),
});
