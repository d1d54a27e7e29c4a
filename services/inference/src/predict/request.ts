import { HttpError } from "@flts/common/service/http";

/** What `POST /predict` asks for, after its shape was checked; its rows are checked by `rows.ts`. */
export interface PredictRequest {
  /** The columns as they came; null asks for a forecast of the cached frame. */
  readonly data: unknown;
  readonly indexColumn: string | null;
  /** Whose champion shall answer; null for the replica's own station. */
  readonly identifier: string | null;
  readonly mode: Mode;
  /** Steps to forecast; null when not said. */
  readonly steps: number | null;
}

/** The steps after the last row, or the rows themselves one step ahead. */
export type Mode = "forecast" | "backtest";

export const MAX_STEPS = 10_000;
export const NO_DATA = "Request payload must include a non-empty 'data' object";

/**
 * Reads the body and the query of a request (reference behaviour §7.3). `body` is undefined when none was sent. Faults of shape are 422 with FastAPI's list,
 * as in the reference; an unknown mode and an absent body are 400.
 */
export function parsePredictRequest(body: unknown, query: Readonly<Record<string, unknown>>): PredictRequest {
  if (body === undefined) throw new HttpError(400, NO_DATA);
  const fields = body ?? {};
  if (typeof fields !== "object" || Array.isArray(fields))
    throw unprocessable(["body"], "Input should be a valid dictionary");
  const {
    data = null,
    index_col: indexColumn = null,
    inference_length: bodySteps = null,
    identifier = null,
    mode = null,
  } = fields as Record<string, unknown>;
  const steps = queryStepsOf(query["inference_length"]) ?? bodyStepsOf(bodySteps);
  if (indexColumn !== null && typeof indexColumn !== "string")
    throw unprocessable(["body", "index_col"], "Input should be a valid string");
  if (identifier !== null && typeof identifier !== "string")
    throw unprocessable(["body", "identifier"], "Input should be a valid string");
  return { data, indexColumn, identifier, mode: modeOf(mode), steps };
}

function modeOf(mode: unknown): Mode {
  if (mode === null || mode === "forecast") return "forecast";
  if (mode === "backtest") return mode;
  throw new HttpError(
    400,
    `Unknown mode ${JSON.stringify(mode).slice(0, 100)}: use "forecast" or "backtest"`,
  );
}

function queryStepsOf(value: unknown): number | null {
  if (value === undefined) return null;
  const steps = typeof value === "string" && /^[+-]?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  return checkSteps(steps, ["query", "inference_length"]);
}

function bodyStepsOf(value: unknown): number | null {
  if (value === null) return null;
  return checkSteps(typeof value === "number" ? value : Number.NaN, ["body", "inference_length"]);
}

function checkSteps(steps: number, loc: readonly string[]): number {
  if (!Number.isInteger(steps)) throw unprocessable(loc, "Input should be a valid integer");
  if (steps < 1) throw unprocessable(loc, "Input should be greater than or equal to 1");
  if (steps > MAX_STEPS) throw unprocessable(loc, `Input should be less than or equal to ${MAX_STEPS}`);
  return steps;
}

const unprocessable = (loc: readonly string[], msg: string): HttpError =>
  new HttpError(422, [{ type: "value_error", loc, msg }]);
