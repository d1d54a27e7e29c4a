import type { Clock } from "@flts/common/ports/clock";
import { HttpError, refusalOf } from "@flts/common/service/http";
import { parseJson } from "../json-body.ts";
import { asCached, writeAnswer } from "./answer.ts";
import type { ForecastPath } from "./forecast-path.ts";
import { parsePredictRequest } from "./request.ts";
import { contentKey, type ResponseCache } from "./response-cache.ts";
import { readRows } from "./rows.ts";

export interface PredictDeps {
  readonly forecast: ForecastPath;
  /** Null when answers are not kept. */
  readonly cache: ResponseCache | null;
  readonly nextRequestId: () => string;
  readonly clock: Clock;
  readonly observe: (report: PredictReport) => void;
}

export interface PredictReport {
  readonly outcome: Outcome;
  readonly durationMs: number;
  readonly error?: unknown;
}

/** What became of a request, in the reference's words (behaviour §7.7). */
export type Outcome = "success" | "client_error" | "queue_full" | "skipped" | "timeout" | "server_error";

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
export async function predict(call: PredictCall, deps: PredictDeps): Promise<string> {
  const { clock, observe } = deps;
  const begun = clock.monotonicMs();
  const durationMs = (): number => clock.monotonicMs() - begun;
  try {
    const text = await (deps.cache === null ? compute(call, deps, null) : answerFrom(deps.cache, call, deps));
    observe({ outcome: "success", durationMs: durationMs() });
    return text;
  } catch (error) {
    observe({ outcome: outcomeOf(error), durationMs: durationMs(), error });
    throw error;
  }
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

/** The name of the header; relative, because clocks of two machines differ. */
export const TIMEOUT_HEADER = "x-request-timeout-ms";

function timeoutOf(header: string | undefined): number | null {
  if (header === undefined) return null;
  const timeoutMs = /^\d{1,9}$/.test(header) ? Number(header) : 0;
  if (timeoutMs < 1)
    throw new HttpError(400, `Header ${TIMEOUT_HEADER} must be a whole number of milliseconds from 1 on`);
  return timeoutMs;
}

function outcomeOf(error: unknown): Outcome {
  const { status } = refusalOf(error);
  if (status === 429) return "queue_full";
  if (status === 503) return "skipped";
  if (status === 504) return "timeout";
  return status < 500 ? "client_error" : "server_error";
}
