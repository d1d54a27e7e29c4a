import { rowCount, sliceRows, type Table } from "@flts/forecasting/table/table";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import { type ForecastPoint, namedPoint, pointsOf, targetOf } from "../forecast.ts";
import { openHome } from "../home.ts";
import { forecastLocally } from "../local-forecast.ts";
import { stationMeant } from "../meant.ts";
import { requestForecast } from "../pipeline/inference-client.ts";
import { type Measurements, measurementsOf, readTable } from "../pipeline/measurements.ts";
import { forecastText } from "../summary-text.ts";
import type { Output } from "../terminal/output.ts";

export interface PredictOptions {
  readonly home: string;
  /** An inference service to ask; null forecasts in this process. */
  readonly url: string | null;
  /** A file of measurements; null takes the station's processed test table. */
  readonly dataFile: string | null;
  readonly horizon: number;
  readonly identifier: string;
}

/** Rows of history that are plotted, and that are sent to a service. */
const MEASURED_ROWS = 75;

interface Prediction {
  readonly identifier: string;
  readonly runId: string;
  readonly family: string | null;
  readonly epoch: number | null;
  readonly target: string;
  readonly points: readonly ForecastPoint[];
  readonly measured: Measurements;
}

/** `flts predict`: a forecast of the promoted model, here or by a running service. */
export async function predict(options: PredictOptions, output: Output): Promise<void> {
  const history = options.dataFile === null ? null : await readFileTable(options.dataFile);
  const prediction =
    options.url === null
      ? await predictHere(options, history)
      : await predictBy(options.url, options, history);
  const { target, points, measured, runId, family, epoch } = prediction;
  const model = [family, epoch === null ? null : `epoch ${epoch}`, `run ${runId}`].filter(
    (part) => part !== null,
  );
  output.say(
    `${output.style.strong(`${points.length} steps of ${target}`)} by ${model.join(", ")}`,
    "",
    ...forecastText(target, points, { width: output.screen.width, style: output.style, measured }),
  );
  output.result({
    identifier: prediction.identifier,
    family,
    runId,
    epoch,
    target,
    forecast: points.map((point) => namedPoint(target, point)),
  });
}

const readFileTable = (path: string): Promise<Table> => readTable({ name: path, path });

async function predictHere(options: PredictOptions, history: Table | null): Promise<Prediction> {
  const { horizon } = options;
  const backends = await openHome(options.home);
  try {
    const identifier = await stationMeant(options.identifier, backends.store);
    const made = await forecastLocally(backends, { identifier, horizon, history });
    const { run_id, model_type, epoch } = made.promotion;
    return {
      identifier,
      runId: run_id,
      family: model_type,
      epoch,
      target: made.target,
      points: made.points,
      measured: measurementsOf(made.history, made.target, MEASURED_ROWS),
    };
  } finally {
    await backends.close();
  }
}

async function predictBy(
  url: string,
  { horizon, identifier }: PredictOptions,
  history: Table | null,
): Promise<Prediction> {
  const data = history === null ? {} : { data: columnsOf(lastRows(history)) };
  const answer = await requestForecast(url, { ...data, identifier, horizon });
  const target = targetOf(answer.predictions);
  return {
    identifier: answer.identifier,
    runId: answer.run_id,
    family: answer.model_type,
    epoch: answer.epoch,
    target,
    points: pointsOf(target, answer.predictions),
    measured:
      history === null ? { values: [], firstTime: "" } : measurementsOf(history, target, MEASURED_ROWS),
  };
}

const lastRows = (table: Table): Table => sliceRows(table, Math.max(0, rowCount(table) - MEASURED_ROWS));

/** A table as `POST /predict` takes it: time stamps under `ts`, missing cells null. */
function columnsOf(table: Table): Record<string, (string | number | null)[]> {
  const columns = table.columns.map((name, index): [string, (number | null)[]] => [
    name,
    Array.from(table.values[index] ?? [], (value) => (Number.isNaN(value) ? null : value)),
  ]);
  return {
    ts: Array.from(table.timesMs, (timeMs) => formatTimestamp(timeMs)),
    ...Object.fromEntries(columns),
  };
}
