import { type Scaling, scaleValues, scalingOf } from "@flts/common/scaler/scaling";
import { persistence } from "@flts/forecasting/evaluation/baselines";
import { seriesOf } from "@flts/forecasting/evaluation/forecasts";
import { type GateDecision, judgeCandidates } from "@flts/forecasting/evaluation/gate";
import { measure, rowLosses } from "@flts/forecasting/evaluation/metrics";
import { rollForecasts } from "@flts/forecasting/evaluation/rolling";
import type { RowRange } from "@flts/forecasting/evaluation/split";
import { interleave } from "@flts/forecasting/interleave";
import { columnOf, type Table } from "@flts/forecasting/table/table";
import type { Model } from "../model.ts";

/**
 * What the gate would do with these models, had their station no champion: it ranks them by the reference's score and compares them with
 * persistence, on scaled targets and the score rows alone.
 * @param train the whole train table, raw units
 * @throws TABLE_TOO_SHORT, TABLE_INVALID without models
 */
export async function chooseModel(
  models: readonly Model[],
  train: Table,
  scaling: Scaling,
  targets: readonly string[],
  seed: number,
): Promise<GateDecision> {
  const history = Math.max(...models.map(({ forecaster }) => forecaster.window));
  // Short tables are cut by each model's window; only rows that are score rows to all of them are forecast. History may be older.
  const score = Math.max(...models.map(({ manifest }) => manifest.rows.score[0]));
  const rows: RowRange = [Math.max(0, score - history), train.timesMs.length];
  const scaled = (each: (target: number) => Float64Array) =>
    interleave(targets.map((target, index) => scaleValues(scalingOf(scaling, target), each(index))));
  const judged = await Promise.all(
    models.map(async ({ manifest, forecaster }) => {
      const rolled = await rollForecasts(forecaster, train, { rows, history });
      const actual = scaled((target) => seriesOf(rolled, target).actual);
      const forecast = scaled((target) => seriesOf(rolled, target).forecast);
      return {
        id: manifest.family,
        score: measure(actual, forecast, targets.length).score,
        losses: rowLosses(actual, forecast, targets.length),
        origins: rolled.origins,
        actual,
      };
    }),
  );
  const [first] = judged;
  const last = scaled((target) => {
    const series = columnOf(train, targets[target] ?? "");
    const origins = first?.origins ?? new Int32Array();
    const from = origins[0] ?? 0;
    const all = persistence.forecast(series, from, origins.at(-1) ?? 0, 1);
    return Float64Array.from(origins, (origin) => all[origin - from] ?? 0);
  });
  return judgeCandidates({
    mode: "strict",
    candidates: judged,
    persistence: first === undefined ? last : rowLosses(first.actual, last, targets.length),
    champion: null,
    seed,
  });
}
