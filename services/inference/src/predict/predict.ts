import { parseJson } from "../json-body.ts";
import { asCached, writeAnswer } from "./answer.ts";
import type { ForecastPath } from "./forecast-path.ts";
import { type Observing, observed } from "./observed.ts";
import { timeoutOf } from "./patience.ts";
import { parsePredictRequest } from "./request.ts";
import { contentKey, type ResponseCache } from "./response-cache.ts";
import { readRows } from "./rows.ts";

export interface PredictDeps extends Observing {
  readonly forecast: ForecastPath;
  /** Null when answers are not kept. */
  readonly cache: ResponseCache | null;
  readonly nextRequestId: () => string;
}

/** One `POST /predict` as it came. */
export interface PredictCall {
  /** JSON; empty or undefined when no body was sent. */
  readonly body: string | undefined;
  readonly query: Readonly<Record<string, unknown>>;
  /** The header that says how long the client waits, in milliseconds. */
  readonly timeout: string | undefined;
  /** Whether the client is still there. */
  readonly isPresent: () => boolean;
}

/**
 * Answers one `POST /predict` with JSON.
 * @throws HttpError 400, 422 for a fault of the request, and what the forecast path throws
 */
export function predict(call: PredictCall, deps: PredictDeps): Promise<string> {
  const { cache } = deps;
  return observed(deps, () => (cache === null ? compute(call, deps, null) : answerFrom(cache, call, deps)));
}

function answerFrom(cache: ResponseCache, call: PredictCall, deps: PredictDeps): Promise<string> {
  const key = contentKey(call.body ?? "", JSON.stringify(call.query));
  const kept = cache.find(key);
  return kept === null
    ? compute(call, deps, (text, origin) => cache.keep(key, text, origin))
    : Promise.resolve(asCached(kept, deps.nextRequestId()));
}

type Keep = (answer: string, origin: Parameters<ResponseCache["keep"]>[2]) => void;

async function compute(call: PredictCall, { forecast }: PredictDeps, keep: Keep | null): Promise<string> {
  const { data, indexColumn, ...request } = parsePredictRequest(parseJson(call.body), call.query);
  const { isPresent } = call;
  const rows = data === null ? null : () => readRows(data, indexColumn);
  const answer = await forecast(rows, { ...request, timeoutMs: timeoutOf(call.timeout), isPresent });
  const text = writeAnswer(answer);
  keep?.(text, { identifier: request.identifier, champion: answer.champion });
  return text;
}
