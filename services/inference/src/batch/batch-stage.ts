import { MESSAGE_VERSION } from "@flts/common/contracts/claim";
import { inferenceData, performanceEval } from "@flts/common/contracts/events";
import { canonicalJson, sha256 } from "@flts/common/contracts/identity";
import type { LoggedBatch, LoggedLiveError } from "@flts/common/contracts/inference-log";
import { emit, type Topic } from "@flts/common/contracts/topic";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Logger } from "@flts/common/service/logger";
import type { HandleContext, Stage } from "@flts/common/stage/stage";
import type { Table } from "@flts/forecasting/table/table";
import type { DriftReferences } from "../live/drift-references.ts";
import type { KeptForecasts } from "../live/kept-forecasts.ts";
import { type LiveErrorDocument, scoreTruth } from "../live/live-error.ts";
import { loggedForecastOf, runOf, type Signature } from "../live/logged-forecast.ts";
import { rollingErrors } from "../live/rolling-error.ts";
import type { Champion } from "../model/model-slot.ts";
import type { Admission } from "../predict/admission.ts";
import { openTable, readProcessedTable } from "../processed-table.ts";
import { awaitChampion, type Borrow } from "./await-champion.ts";
import { type BatchForecast, forecastTable, tableFor } from "./batch-forecast.ts";
import type { BatchLog } from "./batch-log.ts";
import { findingsOf } from "./batch-record.ts";

type InferenceClaim = typeof inferenceData extends Topic<infer Claim> ? Claim : never;

export interface BatchDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly borrow: Borrow;
  readonly admission: Admission;
  readonly batches: BatchLog;
  readonly kept: KeptForecasts;
  readonly drift: DriftReferences;
  readonly options: BatchOptions;
  /** Told what the truth said of a station. */
  readonly onScored: (live: LiveErrorDocument) => void;
  readonly onOutcome: (outcome: "forecast" | "duplicate") => void;
}

export interface BatchOptions {
  /** Where claimed tables and logs lie. */
  readonly processedBucket: string;
  readonly logBucket: string;
  readonly maxBytes: number;
  /** Topic of the events. */
  readonly topic: string;
  readonly replica: string;
  /** Steps after a table's last row. */
  readonly steps: number;
  readonly maxErrorSteps: number;
  readonly maxSampleColumns: number;
  /** So many rows of a station are looked back at. */
  readonly windowRows: number;
  /** Nothing is written, and nobody told. */
  readonly isSilent: boolean;
}

/**
 * Forecasts each test table that is claimed, with its station's champion: one object of the log and one event each. What the table's rows say of the forecasts
 * before them is found out first.
 */
export const batchStage: Stage<InferenceClaim, BatchDeps> = {
  name: "batch-forecast",
  consumes: inferenceData,
  async handle(claim, deps, context) {
    const loan = await awaitChampion(claim.identifier, deps.borrow, { ...deps, signal: context.signal });
    try {
      await handleClaim(claim, loan, deps, context);
    } finally {
      loan.giveBack();
    }
    return [];
  },
};

async function handleClaim(
  claim: InferenceClaim,
  champion: Champion,
  deps: BatchDeps,
  { signal, publish }: HandleContext,
): Promise<void> {
  const { store, clock, log, admission, batches, options } = deps;
  const { processedBucket: bucket, maxBytes } = options;
  const { identifier } = claim;
  const { run_id: runId } = champion.promotion;
  const bytes = await openTable(store, claim, { bucket, maxBytes });
  const digest = sha256(bytes);
  const name = { identifier, runId, predictionHash: predictionHashOf(champion, digest) };
  const ids = { identifier, run_id: runId, prediction_hash: name.predictionHash };
  if (!options.isSilent && (await batches.isFinished(name))) {
    log.info("duplicate_prediction_skip", ids);
    deps.onOutcome("duplicate");
    return;
  }
  const table = await readProcessedTable(bytes);
  const history = tableFor(table, champion.model);
  const live = options.isSilent ? null : await score(table, digest, { identifier, champion }, deps);
  const { steps } = options;
  const forecast = await forecastTable(history, champion.model, { admission, clock, signal, steps });
  log.info("predict_inference_end", { ...ids, rows: forecast.oneStep.timesMs.length });
  deps.onOutcome("forecast");
  if (live === null) return;

  const entry = await batches.begin(name);
  const signature = { timestamp: entry.timestamp, replica: options.replica };
  const found = { champion, table, digest, forecast, predictionHash: name.predictionHash };
  const record = recordOf(found, options, signature);
  const ahead = loggedForecastOf(
    { champion, history, forecast: forecast.ahead, reqId: name.predictionHash },
    signature,
  );
  const lines = [liveErrorLine(live, signature), record, ahead];
  const written = await batches.write(entry, lines);
  await deps.kept.keep(identifier, `batch-${runId}-${name.predictionHash}`, [ahead]);
  log.info("inference_log_write", {
    bucket: options.logBucket,
    object_key: entry.objectKey,
    identifier,
    lines_appended: written === 0 ? 0 : lines.length,
    bytes_appended: written,
  });
  if (entry.published) return;
  const event = emit(performanceEval, {
    v: MESSAGE_VERSION,
    operation: "Inference",
    status: "SUCCESS",
    ...runOf(champion.promotion),
    identifier,
    log_bucket: options.logBucket,
    log_object_key: entry.objectKey,
    rows: forecast.oneStep.timesMs.length,
    prediction_hash: name.predictionHash,
  });
  await publish([{ ...event, topic: options.topic }]);
  await batches.finish(entry);
}

/**
 * Names a forecast by what it follows from, the champion's files and the table's bytes: its numbers may differ in their last bits from one CPU, or one
 * batch of windows, to another.
 */
const predictionHashOf = ({ promotion }: Champion, tableDigest: string): string =>
  sha256(canonicalJson(["batch/1", promotion.manifest_sha256, tableDigest])).slice(0, 16);

async function score(
  table: Table,
  digest: string,
  { identifier, champion }: { readonly identifier: string; readonly champion: Champion },
  deps: BatchDeps,
): Promise<LiveErrorDocument> {
  const { log, options } = deps;
  const drift = await deps.drift.driftOf(identifier, table, champion.model.inputColumns);
  const live = await scoreTruth(
    { identifier, table, digest, drift },
    { ...deps, bucket: options.logBucket, windowRows: options.windowRows },
  );
  const { rows_scored, scored_until } = live;
  log.info("live_error_scored", { identifier, rows_scored, scored_until });
  deps.onScored(live);
  return live;
}

interface Found {
  readonly champion: Champion;
  readonly table: Table;
  readonly digest: string;
  readonly forecast: BatchForecast;
  readonly predictionHash: string;
}

function recordOf(found: Found, options: BatchOptions, signature: Signature): LoggedBatch {
  const { champion, table, digest, forecast, predictionHash } = found;
  const { maxErrorSteps, maxSampleColumns } = options;
  const { targets } = champion.model;
  return {
    ...signature,
    v: MESSAGE_VERSION,
    operation: "Inference",
    status: "SUCCESS",
    ...runOf(champion.promotion),
    table: digest,
    ...findingsOf(table, forecast.oneStep, { targets, predictionHash, maxErrorSteps, maxSampleColumns }),
  };
}

const liveErrorLine = (live: LiveErrorDocument, signature: Signature): LoggedLiveError => ({
  ...signature,
  v: MESSAGE_VERSION,
  operation: "Live error",
  identifier: live.identifier,
  table: live.table,
  rows_scored: live.rows_scored,
  targets: rollingErrors(live.rows),
  drift: live.drift,
});
