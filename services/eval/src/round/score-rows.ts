import { FltsError } from "@flts/common/contracts/errors";
import { type Scaling, scaleValues, scalingOf } from "@flts/common/scaler/scaling";
import type { Model } from "@flts/families/model";
import { type Baseline, fitEwma, persistence } from "@flts/forecasting/evaluation/baselines";
import { type Metrics, measure, rowLosses } from "@flts/forecasting/evaluation/metrics";
import { rollForecasts } from "@flts/forecasting/evaluation/rolling";
import type { RowRange } from "@flts/forecasting/evaluation/split";
import type { Forecaster } from "@flts/forecasting/forecaster";
import { interleave } from "@flts/forecasting/interleave";
import { columnOf, type Table } from "@flts/forecasting/table/table";

/** The rows on which all contenders are measured: none was trained on them, and each forecasts every one of them, one step ahead. */
export interface ScoreRows {
  readonly raw: Table;
  readonly scaling: Scaling;
  readonly targets: readonly string[];
  readonly rows: RowRange;
  /** Rows of history, the longest window of all contenders. */
  readonly history: number;
  /** For what a baseline fits. */
  readonly fit: RowRange;
  /** The last known row of each forecast. `[n]` */
  readonly origins: Int32Array;
  /** `[n, targets]`, scaled. */
  readonly actual: Float64Array;
}

/** Errors on scaled targets, and the squared error of each row for the gate. */
export interface Measured extends Metrics {
  /** `[n]` */
  readonly losses: Float64Array;
}

/**
 * The rows that are score rows to every candidate and that the champion, trained on another day perhaps, has not seen either. Windows may reach back
 * before them: what a model forecasts is new to it, the history it forecasts from need not be.
 * A champion that has seen all of them keeps that advantage: it is replaced only if it is beaten even so.
 * @throws TABLE_TOO_SHORT when there is none
 */
export function scoreRowsOf(
  raw: Table,
  scaling: Scaling,
  candidates: readonly Model[],
  champion: Model | null,
): ScoreRows {
  const [first] = candidates.map(({ manifest }) => manifest);
  if (first === undefined) throw new FltsError("TABLE_INVALID", "there is no model to score");
  const all = [...candidates, ...(champion === null ? [] : [champion])].map(({ manifest }) => manifest);
  const trainedUntil = Math.max(...all.map(({ data }) => data.trained_until_ms));
  const unseen = raw.timesMs.findIndex((time) => time > trainedUntil);
  const start = Math.max(
    ...candidates.map(({ manifest }) => manifest.rows.score[0]),
    unseen < 0 ? 0 : unseen,
  );
  const history = Math.max(...all.map(({ window }) => window));
  const rows: RowRange = [Math.max(0, start - history), raw.timesMs.length];
  const columns = first.targets.map((target) => columnOf(raw, target));
  const origins: number[] = [];
  for (let origin = rows[0] + history - 1; origin + 1 < rows[1]; origin++)
    if (columns.every((column) => !Number.isNaN(column[origin + 1]))) origins.push(origin);
  if (origins.length === 0)
    throw new FltsError(
      "TABLE_TOO_SHORT",
      `rows from ${start} on hold no forecast after ${history} rows of history`,
    );
  const actual = interleave(
    first.targets.map((target, index) =>
      scaleValues(
        scalingOf(scaling, target),
        Float64Array.from(origins, (origin) => columns[index]![origin + 1]!),
      ),
    ),
  );
  return {
    raw,
    scaling,
    targets: first.targets,
    rows,
    history,
    fit: first.rows.fit,
    origins: Int32Array.from(origins),
    actual,
  };
}

/** A model's errors on the score rows. */
export async function measureModel(forecaster: Forecaster, score: ScoreRows): Promise<Measured> {
  const rolled = await rollForecasts(forecaster, score.raw, { rows: score.rows, history: score.history });
  const width = forecaster.targets.length;
  return compare(
    score,
    score.targets.map((target) => {
      const position = forecaster.targets.indexOf(target);
      if (position < 0) throw new FltsError("COLUMN_MISSING", `the model does not forecast '${target}'`);
      return Float64Array.from(score.origins, (_, row) => rolled.forecast[row * width + position]!);
    }),
  );
}

/** What needs no training, on the same rows. */
export function measureBaselines(score: ScoreRows): {
  readonly persistence: Measured;
  readonly ewma: Measured;
} {
  const measured = (baselineOf: (series: Float64Array) => Baseline): Measured =>
    compare(
      score,
      score.targets.map((target) => {
        const series = columnOf(score.raw, target);
        const [first, last] = [score.origins[0] ?? 0, score.origins.at(-1) ?? 0];
        const forecasts = baselineOf(series).forecast(series, first, last, 1);
        return Float64Array.from(score.origins, (origin) => forecasts[origin - first]!);
      }),
    );
  return {
    persistence: measured(() => persistence),
    ewma: measured((series) => fitEwma(series, score.fit)),
  };
}

/** @param forecasts one `[n]` in raw units for each target */
function compare({ targets, scaling, actual }: ScoreRows, forecasts: readonly Float64Array[]): Measured {
  const forecast = interleave(
    targets.map((target, index) => scaleValues(scalingOf(scaling, target), forecasts[index]!)),
  );
  return {
    ...measure(actual, forecast, targets.length),
    losses: rowLosses(actual, forecast, targets.length),
  };
}
