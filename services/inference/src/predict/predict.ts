import type { Clock } from "@flts/common/ports/clock";
import { HttpError, refusalOf } from "@flts/common/service/http";
import { writeAnswer } from "./answer.ts";
import type { ForecastPath } from "./forecast-path.ts";
import { parsePredictRequest } from "./request.ts";
import { readRows } from "./rows.ts";

export interface PredictDeps {
  readonly forecast: ForecastPath;
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
  /** Undefined when no body was sent. */
  readonly body: unknown;
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
export async function predict(call: PredictCall, { forecast, clock, observe }: PredictDeps): Promise<string> {
  const begun = clock.monotonicMs();
  const durationMs = (): number => clock.monotonicMs() - begun;
  try {
    const { data, indexColumn, ...request } = parsePredictRequest(call.body, call.query);
    const rows = data === null ? null : () => readRows(data, indexColumn);
    const { isPresent } = call;
    const answer = await forecast(rows, { ...request, timeoutMs: timeoutOf(call.timeout), isPresent });
    const text = writeAnswer(answer);
    observe({ outcome: "success", durationMs: durationMs() });
    return text;
  } catch (error) {
    observe({ outcome: outcomeOf(error), durationMs: durationMs(), error });
    throw error;
  }
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
