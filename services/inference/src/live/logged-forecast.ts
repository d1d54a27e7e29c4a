import { MESSAGE_VERSION } from "@flts/common/contracts/claim";
import { stationOf } from "@flts/common/contracts/identity";
import type { LoggedForecast } from "@flts/common/contracts/inference-log";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { Table } from "@flts/forecasting/table/table";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import type { Champion } from "../model/model-slot.ts";
import type { Forecast } from "../model/servable-model.ts";

export interface MadeForecast {
  readonly champion: Champion;
  /** The rows that it was made from, raw units. */
  readonly history: Table;
  readonly forecast: Forecast;
  readonly reqId: string;
}

/** When and by whom a line was written. */
export interface Signature {
  readonly timestamp: string;
  readonly replica: string;
}

/** Steps of one forecast that are kept: a day of two-minute rows. Later ones are all but the same guess. */
const MAX_STEPS = 720;

/** A forecast as the log keeps it until the truth comes. */
export function loggedForecastOf(made: MadeForecast, signature: Signature): LoggedForecast {
  const { champion, history, forecast, reqId } = made;
  const { targets } = champion.model;
  const steps = Math.min(forecast.timesMs.length, MAX_STEPS);
  const byTarget = (values: Float64Array, step: number): Record<string, number> =>
    Object.fromEntries(targets.map((name, target) => [name, values[step * targets.length + target]!]));
  return {
    ...signature,
    v: MESSAGE_VERSION,
    operation: "Forecast",
    status: "SUCCESS",
    ...runOf(champion.promotion),
    req_id: reqId,
    origin: formatTimestamp(history.timesMs[history.timesMs.length - 1]!, "T"),
    last: Object.fromEntries(targets.map((name) => [name, lastKnown(history, name)])),
    steps: Array.from({ length: steps }, (_, step) => ({
      ts: formatTimestamp(forecast.timesMs[step]!, "T"),
      pred: byTarget(forecast.values, step),
      lower: byTarget(forecast.lower, step),
      upper: byTarget(forecast.upper, step),
    })),
  };
}

/** Which model of which station: what every line about a forecast says. */
export const runOf = ({ identifier, run_id, model_type, config_hash, epoch }: Promotion) => ({
  identifier: stationOf(identifier),
  run_id,
  model_type,
  config_hash,
  epoch,
});

function lastKnown({ columns, values }: Table, name: string): number | null {
  const column = values[columns.indexOf(name)] ?? new Float64Array();
  return column.findLast((value) => Number.isFinite(value)) ?? null;
}
