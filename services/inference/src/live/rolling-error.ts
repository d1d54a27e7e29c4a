import type { RollingError } from "@flts/common/contracts/inference-log";
import type { ScoredRow } from "./score-rows.ts";

/** The error of each target over some rows; targets without any are left out. */
export function rollingErrors(rows: readonly ScoredRow[]): Record<string, RollingError> {
  const targets = new Set(rows.flatMap((row) => Object.keys(row.targets)));
  return Object.fromEntries([...targets].toSorted().map((target) => [target, rollingErrorOf(rows, target)]));
}

function rollingErrorOf(rows: readonly ScoredRow[], target: string): RollingError {
  const errors = rows.flatMap(({ targets }) => targets[target] ?? []);
  const comparable = errors.flatMap(({ squared, persistence }) =>
    persistence === null ? [] : [{ squared, persistence }],
  );
  const rivals = mean(comparable.map(({ persistence }) => persistence));
  return {
    rows: errors.length,
    rmse: Math.sqrt(mean(errors.map(({ squared }) => squared))),
    mae: mean(errors.map(({ absolute }) => absolute)),
    coverage: mean(errors.map(({ inside }) => inside)),
    skill: rivals > 0 ? 1 - Math.sqrt(mean(comparable.map(({ squared }) => squared)) / rivals) : null,
  };
}

/** NaN of nothing. */
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
