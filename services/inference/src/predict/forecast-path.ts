import { HttpError } from "@flts/common/service/http";
import { rowCount, type Table } from "@flts/forecasting/table/table";
import type { Champion } from "../model/model-slot.ts";
import type { Forecast } from "../model/servable-model.ts";
import type { Job } from "./admission.ts";
import { historyOf } from "./history.ts";
import { MAX_STEPS, type Mode } from "./request.ts";
import type { Rows } from "./rows.ts";
import { type ChampionCall, createWithChampion, type WithChampionDeps } from "./with-champion.ts";

/** The one way from rows to a forecast, whatever route they came by. */
export type ForecastPath = (rows: RowSource, options: ForecastOptions) => Promise<ForecastAnswer>;

/** Reads the rows of a request when it was let in: who is refused is told so before his rows are looked at. Null asks for the cached frame. */
export type RowSource = (() => Rows) | null;

export interface ForecastOptions extends ChampionCall {
  readonly mode: Mode;
  /** Steps to forecast: one unless given; of a backtest all that there are. */
  readonly steps: number | null;
}

export interface ForecastAnswer {
  /** Who computed the forecast. */
  readonly champion: Champion;
  readonly mode: Mode;
  readonly reqId: string;
  readonly forecast: Forecast;
  /** Cells that came without a value and were replaced by the model. */
  readonly imputed: number;
  /** Input columns that were kept at their last value, because nobody forecasts them and steps beyond the model's horizon need them. */
  readonly held: readonly string[];
}

export interface ForecastPathDeps extends WithChampionDeps {
  readonly cachedFrame: (identifier: string | null) => Rows | null;
  readonly nextRequestId: () => string;
}

/** @throws HttpError 400 for rows that cannot be forecast from, and what {@link WithChampion} throws */
export function createForecastPath(deps: ForecastPathDeps): ForecastPath {
  const { cachedFrame, nextRequestId } = deps;
  const withChampion = createWithChampion(deps);

  async function answerWith(
    champion: Champion,
    rows: RowSource,
    options: ForecastOptions,
    job: Job,
  ): Promise<ForecastAnswer> {
    const { mode, identifier } = options;
    const { model } = champion;
    const needed = mode === "backtest" ? model.window + 1 : model.window;
    const source = rows === null ? cachedFrame(identifier) : rows();
    const { table, imputed } = historyOf(source, model, needed);
    const forecast =
      mode === "backtest"
        ? await backtest(champion, table, options.steps, job)
        : await forecastAhead(champion, table, options.steps ?? 1, job);
    checkFinite(forecast);
    const recursive = mode === "forecast" && (options.steps ?? 1) > model.horizon;
    const held = recursive ? model.inputColumns.filter((column) => !model.targets.includes(column)) : [];
    return { champion, mode, reqId: nextRequestId(), forecast, imputed, held };
  }

  return (rows, options) =>
    withChampion(options, (champion, job) => answerWith(champion, rows, options, job));
}

function forecastAhead({ model }: Champion, history: Table, steps: number, job: Job): Promise<Forecast> {
  job.expect(Math.ceil(steps / model.horizon));
  return model.forecast(history, steps, job);
}

function backtest({ model }: Champion, history: Table, given: number | null, job: Job): Promise<Forecast> {
  const steps = Math.min(given ?? MAX_STEPS, rowCount(history) - model.window);
  job.expect(steps);
  return model.backtest(history, steps, job);
}

function checkFinite({ values, lower, upper }: Forecast): void {
  for (let index = 0; index < values.length; index++)
    if (!Number.isFinite(values[index]) || !Number.isFinite(lower[index]) || !Number.isFinite(upper[index]))
      throw new HttpError(
        400,
        "No finite forecast follows from these values: they lie far outside the training data",
      );
}
