import { FltsError } from "@flts/common/contracts/errors";
import { z } from "zod";
import { detailOf } from "./upload.ts";

/** One forecast row: its time stamp and its numbers, those that were not forecast null. */
const forecastRow = z.record(z.string(), z.union([z.string(), z.number(), z.null()]));

const answer = z.looseObject({
  status: z.string(),
  identifier: z.string().default(""),
  run_id: z.string(),
  model_type: z.string().nullable().default(null),
  epoch: z.number().nullable().default(null),
  predictions: z.array(forecastRow),
});
export type InferenceAnswer = z.infer<typeof answer>;

export interface InferenceRequest {
  /** The station; empty leaves it to the service, which has one of its own. */
  readonly identifier: string;
  /** Measurements by column, time stamps among them; without any, the service forecasts from the test table it has heard of. */
  readonly data?: Readonly<Record<string, readonly (string | number | null)[]>>;
  /** Steps to forecast. */
  readonly horizon: number;
}

/** Asks a running inference service. @throws INPUT_MISSING when it cannot be reached or refuses, with its reason */
export async function requestForecast(
  inferenceUrl: string,
  { identifier, data, horizon }: InferenceRequest,
): Promise<InferenceAnswer> {
  const url = new URL("/predict", inferenceUrl);
  url.searchParams.set("inference_length", String(horizon));
  const station = identifier === "" ? {} : { identifier };
  const response = await post(url, { ...station, ...(data === undefined ? {} : { data }) });
  const text = await response.text();
  if (!response.ok)
    throw new FltsError("INPUT_MISSING", `${url.origin} answered ${response.status}: ${detailOf(text)}`);
  const parsed = answer.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new FltsError("INPUT_MISSING", `${url.origin} is no FLTS inference service: ${text.slice(0, 200)}`);
}

async function post(url: URL, body: unknown): Promise<Response> {
  try {
    return await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch (cause) {
    throw new FltsError(
      "INPUT_MISSING",
      `no inference service answers at ${url.origin}: start one with 'pnpm flts up', or name another with --url`,
      cause,
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
