import type { Clock } from "@flts/common/ports/clock";
import type { Random } from "@flts/common/ports/random";
import { HttpError, refusalOf } from "@flts/common/service/http";
import type { Table } from "@flts/forecasting/table/table";
import type { Loan, ModelSlot } from "../model/model-slot.ts";
import type { Admission } from "./admission.ts";
import { answerOf, type PredictAnswer } from "./answer.ts";
import { historyOf } from "./history.ts";
import { parsePredictRequest } from "./request.ts";

export interface PredictDeps {
  readonly slot: ModelSlot;
  readonly admission: Admission;
  readonly cachedFrame: () => Table | null;
  readonly random: Random;
  readonly clock: Clock;
  readonly observe: (report: PredictReport) => void;
}

export interface PredictReport {
  readonly outcome: Outcome;
  readonly durationMs: number;
  readonly error?: unknown;
}

/** What became of a request, in the reference's words (behaviour §7.7). */
export type Outcome = "success" | "client_error" | "queue_full" | "skipped" | "server_error";

/** Seconds after which a client may ask again for a model that was not there. */
const MODEL_RETRY_SECONDS = 1;

/**
 * Answers one `POST /predict`. The champion is borrowed once, checked against once and computed with once, so that an answer can name no other run
 * than its own.
 * @throws HttpError 400, 422 for a fault of the request, 429 when too many are in line, 503 without a model
 */
export async function predict(
  body: unknown,
  query: Readonly<Record<string, unknown>>,
  deps: PredictDeps,
): Promise<PredictAnswer> {
  const { slot, clock, observe } = deps;
  const begun = clock.monotonicMs();
  const durationMs = (): number => clock.monotonicMs() - begun;
  try {
    const loan = slot.borrow();
    if (loan === null)
      throw new HttpError(503, "Model not loaded yet", { "retry-after": String(MODEL_RETRY_SECONDS) });
    const answer = await answerWith(loan, body, query, deps).finally(() => loan.giveBack());
    observe({ outcome: "success", durationMs: durationMs() });
    return answer;
  } catch (error) {
    observe({ outcome: outcomeOf(error), durationMs: durationMs(), error });
    throw error;
  }
}

async function answerWith(
  loan: Loan,
  body: unknown,
  query: Readonly<Record<string, unknown>>,
  { admission, cachedFrame, random }: PredictDeps,
): Promise<PredictAnswer> {
  const request = parsePredictRequest(body, query);
  const { table, imputed } = historyOf(request, loan.model, cachedFrame());
  const forecast = await admission.run(() => loan.model.forecast(table, request.steps));
  return answerOf(loan, forecast, { reqId: random.hex(4), imputed });
}

function outcomeOf(error: unknown): Outcome {
  const { status } = refusalOf(error);
  if (status === 429) return "queue_full";
  if (status === 503) return "skipped";
  return status < 500 ? "client_error" : "server_error";
}
