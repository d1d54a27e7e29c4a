import { stationOf } from "@flts/common/contracts/identity";
import { HttpError } from "@flts/common/service/http";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import type { Champion } from "../model/model-slot.ts";
import type { Forecast } from "../model/servable-model.ts";

/** The answer of `POST /predict`: the reference's fields (behaviour §7.3), and what they leave open. */
export interface PredictAnswer {
  readonly status: "SUCCESS";
  readonly identifier: string;
  /** The run that the forecast was computed by. */
  readonly run_id: string;
  readonly model_type: string;
  readonly config_hash: string;
  readonly epoch: number;
  readonly req_id: string;
  readonly cached: false;
  /** Cells of the request that came without a value and were replaced by the model. */
  readonly imputed: number;
  /** `ts`, every input column (null where it is not forecast), and the interval of each target as `<target>_lower` and `_upper`. */
  readonly predictions: readonly Readonly<Record<string, string | number | null>>[];
}

/**
 * Writes a forecast down.
 * @throws HttpError 400 when no finite forecast follows from the values given
 */
export function answerOf(
  { promotion, model }: Champion,
  forecast: Forecast,
  { reqId, imputed }: { readonly reqId: string; readonly imputed: number },
): PredictAnswer {
  if (![forecast.values, forecast.lower, forecast.upper].every((numbers) => numbers.every(Number.isFinite)))
    throw new HttpError(
      400,
      "No finite forecast follows from these values: they lie far outside the training data",
    );
  const { identifier, run_id, model_type, config_hash, epoch } = promotion;
  return {
    status: "SUCCESS",
    identifier: stationOf(identifier),
    run_id,
    model_type,
    config_hash,
    epoch,
    req_id: reqId,
    cached: false,
    imputed,
    predictions: Array.from(forecast.timesMs, (timeMs, step) => predictionOf(model, forecast, timeMs, step)),
  };
}

function predictionOf(
  { inputColumns, targets }: Champion["model"],
  { values, lower, upper }: Forecast,
  timeMs: number,
  step: number,
): Record<string, string | number | null> {
  const prediction: Record<string, string | number | null> = { ts: formatTimestamp(timeMs, "T") };
  for (const column of inputColumns) prediction[column] = null;
  const offset = step * targets.length;
  for (const [index, target] of targets.entries()) {
    prediction[target] = values[offset + index]!;
    prediction[`${target}_lower`] = lower[offset + index]!;
    prediction[`${target}_upper`] = upper[offset + index]!;
  }
  return prediction;
}
