import { openClaim } from "@flts/common/claim-check/claim-check";
import { readDocument } from "@flts/common/claim-check/documents";
import { FltsError } from "@flts/common/contracts/errors";
import { buckets, keys } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { invertScaling, scalingSchema } from "@flts/common/scaler/scaling";
import { fetchArtifact } from "@flts/families/artifact";
import { loadModel } from "@flts/families/model";
import { forecastAfter } from "@flts/forecasting/recursive";
import { readParquet } from "@flts/forecasting/table/parquet";
import { createTable, type Table } from "@flts/forecasting/table/table";
import { formatTimestamp } from "@flts/forecasting/table/timestamp";
import { z } from "zod";
import type { ForecastPoint } from "./forecast.ts";
import { readHead } from "./pipeline/outcome.ts";

/** A forecast made in this process, by the promoted model of a station. */
export interface LocalForecast {
  readonly promotion: Promotion;
  readonly target: string;
  readonly points: readonly ForecastPoint[];
  /** What it follows on, in raw units. */
  readonly history: Table;
}

export interface LocalForecastRequest {
  readonly identifier: string;
  readonly horizon: number;
  /** Measurements in raw units; null takes the station's processed test table. */
  readonly history: Table | null;
}

/**
 * Loads what the head of a station names and forecasts: no service is needed.
 * @throws INPUT_MISSING when nothing was promoted or preprocessed yet, ARTIFACT_INVALID, COLUMN_MISSING, TABLE_TOO_SHORT
 */
export async function forecastLocally(
  { store, tracker }: { readonly store: ObjectStore; readonly tracker: RunTracker },
  { identifier, horizon, history: given }: LocalForecastRequest,
): Promise<LocalForecast> {
  const promotion = await readHead(store, identifier);
  if (promotion === null)
    throw new FltsError(
      "INPUT_MISSING",
      `no model was promoted ${stationText(identifier)} yet: 'pnpm flts status' says what is still to be done; or name another folder with --home`,
    );
  const model = await loadModel(
    await fetchArtifact(tracker, {
      runId: promotion.run_id,
      family: promotion.model_type,
      manifestSha256: promotion.manifest_sha256,
    }),
  );
  try {
    const history = given ?? (await readTestTable(store, identifier));
    const forecast = await forecastAfter(model.forecaster, model.manifest.intervals, history, horizon);
    return { promotion, history, target: forecast.targets[0] ?? "", points: firstTarget(forecast) };
  } finally {
    await model.close();
  }
}

const stationText = (identifier: string): string =>
  identifier === "" ? "here" : `for the station ${JSON.stringify(identifier)} here`;

function firstTarget({
  targets,
  timesMs,
  forecast,
  lower,
  upper,
}: Awaited<ReturnType<typeof forecastAfter>>): readonly ForecastPoint[] {
  return Array.from(timesMs, (timeMs, step) => {
    const at = step * targets.length;
    return {
      ts: formatTimestamp(timeMs, "T"),
      value: forecast[at] ?? Number.NaN,
      lower: lower[at] ?? null,
      upper: upper[at] ?? null,
    };
  });
}

/** Of the head of a processed table, what it takes to open it. */
const tableHead = z.looseObject({
  output_bucket: z.string(),
  output_object: z.string(),
  sha256: z.string(),
});

const TEST_TABLE = "test_processed_data";
/** A table of ten million rows is a tenth of it. */
const TABLE_MAX_BYTES = 16 * 1024 ** 3;

/** The station's processed test table, scaled back to raw units. */
async function readTestTable(store: ObjectStore, identifier: string): Promise<Table> {
  const ref = { bucket: buckets.processed, key: keys.processedHead(identifier, TEST_TABLE) };
  const head = await readDocument(store, ref, tableHead, "POINTER_INVALID");
  if (head === null)
    throw new FltsError(
      "INPUT_MISSING",
      `there is no processed test table ${stationText(identifier)}: give measurements with --data FILE.csv`,
    );
  const { output_bucket, output_object, sha256 } = head.document;
  const bytes = await openClaim(
    store,
    { bucket: output_bucket, object: output_object, sha256 },
    { allowedBuckets: [buckets.processed], maxBytes: TABLE_MAX_BYTES },
  );
  const { table, metadata } = await readParquet(bytes);
  const scaling = scalingSchema.parse(JSON.parse(metadata["scaling"] ?? "null"));
  return createTable(table.timesMs, table.columns, invertScaling(scaling, table.columns, table.values));
}
