import { stationOf } from "@flts/common/contracts/identity";
import { HttpError } from "@flts/common/service/http";
import { parsePart } from "@flts/common/service/request-part";
import { parseJson } from "../json-body.ts";
import type { Champion } from "../model/model-slot.ts";
import type { WindowForecasts } from "../model/servable-model.ts";
import type { Job } from "../predict/admission.ts";
import { outputNames, seriesOf, tensorsOf } from "./model-tensors.ts";
import { readWindows } from "./read-tensors.ts";
import { type InferRequest, inferRequest } from "./request.ts";

/**
 * Reads one inference request.
 * @param body JSON
 * @throws HttpError 400 naming the field
 */
export const readInferRequest = (body: unknown): InferRequest =>
  parsePart(inferRequest, parseJson(body), "body");

/** Forecasts the windows of a request. @throws HttpError 400 naming the tensor */
export async function infer(request: InferRequest, champion: Champion, job: Job): Promise<object> {
  const { model, promotion } = champion;
  const names = outputsOf(request);
  const { windows, endTimesMs } = readWindows(request, model);
  job.expect(endTimesMs.length);
  const forecasts = await model.forecastWindows(windows, endTimesMs, job);
  checkFinite(forecasts, endTimesMs);
  const described = tensorsOf(model).outputs;
  return {
    model_name: stationOf(promotion.identifier),
    model_version: String(promotion.epoch),
    ...(request.id === undefined ? {} : { id: request.id }),
    parameters: {
      run_id: promotion.run_id,
      model_type: promotion.model_type,
      config_hash: promotion.config_hash,
    },
    outputs: described
      .filter(({ name }) => names.includes(name))
      .map(({ name, datatype, shape }) => ({
        name,
        datatype,
        shape: [endTimesMs.length, ...shape.slice(1)],
        data: Array.from(forecasts[seriesOf[name]]),
      })),
  };
}

/** The outputs that a request wants. */
function outputsOf({ outputs: wanted }: InferRequest): readonly string[] {
  if (wanted === undefined || wanted.length === 0) return outputNames;
  for (const [index, { name }] of wanted.entries())
    if (!outputNames.some((known) => known === name))
      throw new HttpError(
        400,
        `outputs.${index}.name: there is no output ${JSON.stringify(name.slice(0, 60))}, the model gives ${outputNames.join(", ")}`,
      );
  return wanted.map(({ name }) => name);
}

function checkFinite({ values, lower, upper }: WindowForecasts, endTimesMs: Float64Array): void {
  if ([values, lower, upper].every((numbers) => numbers.every(Number.isFinite))) return;
  const timeless = endTimesMs.some((endMs) => Number.isNaN(endMs));
  throw new HttpError(
    400,
    timeless
      ? "No finite forecast follows from input 'window' alone: this model may need input 'end_time_ms', too"
      : "No finite forecast follows from input 'window': its values lie far outside the training data",
  );
}
