import { type DigestedClaim, storeClaimed } from "@flts/common/claim-check/claim-check";
import { writeDocument } from "@flts/common/claim-check/documents";
import { MESSAGE_VERSION } from "@flts/common/contracts/claim";
import { roundOf, sha256 } from "@flts/common/contracts/identity";
import { keys } from "@flts/common/contracts/layout";
import type { Emission } from "@flts/common/contracts/topic";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Scaling } from "@flts/common/scaler/scaling";
import type { Logger } from "@flts/common/service/logger";
import { canonicalConfig } from "@flts/forecasting/preprocess/config-hash";
import { preprocessPair, type TableReport } from "@flts/forecasting/preprocess/pipeline";
import type { PreprocessSettings } from "@flts/forecasting/preprocess/settings";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { rowCount, type Table } from "@flts/forecasting/table/table";
import { claimsOf, readHeads, type TableHead } from "./head.ts";
import { digestOf, readCsv } from "./input.ts";

export interface PreprocessDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Resolves when the events are durable. */
  readonly publish: (emissions: readonly Emission[]) => Promise<void>;
}

export interface PreprocessJob {
  readonly identifier: string;
  readonly inputBucket: string;
  readonly outputBucket: string;
  /** Names of the two tables: the last part of their keys, before `.parquet`. */
  readonly outputTrain: string;
  readonly outputTest: string;
  readonly force: boolean;
  readonly settings: PreprocessSettings;
}

export interface PreprocessResult {
  readonly round: string;
  readonly configHash: string;
  /** True when the tables were there already and only the claims were sent again. */
  readonly cached: boolean;
}

/**
 * Turns a station's two files into a training table and a test table, and sends the claims on them. Tables first, then heads, then claims: a crash leaves
 * at most objects that the next run arrives at again.
 * @throws INPUT_MISSING, CSV_INVALID, SETTINGS_INVALID, TABLE_TOO_SHORT, COLUMN_MISSING, STORE_UNAVAILABLE
 */
export async function preprocess(job: PreprocessJob, deps: PreprocessDeps): Promise<PreprocessResult> {
  const { store, log } = deps;
  const { data } = job.settings;
  const config = canonicalConfig(job.settings);
  const configHash = sha256(config);
  const trainRef = { bucket: job.inputBucket, key: data.trainFile };
  const testRef = { bucket: job.inputBucket, key: data.testFile };
  log.info("download_start", {
    identifier: job.identifier,
    config_hash: configHash,
    train_file: data.trainFile,
    test_file: data.testFile,
  });
  const trainDigest = await digestOf(store, trainRef);
  const testDigest = await digestOf(store, testRef);
  const round = roundOf({ identifier: job.identifier, configHash, trainDigest, testDigest });

  const trainHeadRef = { bucket: job.outputBucket, key: keys.processedHead(job.identifier, job.outputTrain) };
  const testHeadRef = { bucket: job.outputBucket, key: keys.processedHead(job.identifier, job.outputTest) };
  const earlier = await readHeads(store, trainHeadRef, testHeadRef);
  if (earlier !== null && earlier.train.round === round && earlier.test.round === round) {
    if (!job.force) {
      log.info("skip_idempotent", {
        result: "cached",
        ...describe(round, configHash, earlier.train, earlier.test),
      });
      await deps.publish(claimsOf(earlier.train, earlier.test));
      return { round, configHash, cached: true };
    }
    log.info("force_reprocess", { reason: "FORCE_REPROCESS", prev_config_hash: earlier.train.config_hash });
  }

  const trainRaw = await readCsv(store, trainRef, trainDigest);
  const testRaw = await readCsv(store, testRef, testDigest);
  log.info("download_done", { train_rows: rowCount(trainRaw), test_rows: rowCount(testRaw) });
  const { train, test, scaling, report } = preprocessPair(trainRaw, testRaw, job.settings);
  logSteps(log, job.settings, trainRaw, testRaw, train, test, report);

  const source = {
    job,
    config,
    configHash,
    round,
    trainDigest,
    testDigest,
    scaling,
    createdAt: deps.clock.now(),
  };
  const trainHead = await storeTable(store, train, job.outputTrain, source);
  const testHead = await storeTable(store, test, job.outputTest, source);
  log.info("upload_done", { size_train: trainHead.size, size_test: testHead.size });
  await writeDocument(store, testHeadRef, testHead);
  await writeDocument(store, trainHeadRef, trainHead);
  log.info("pipeline_done", describe(round, configHash, trainHead, testHead));
  await deps.publish(claimsOf(trainHead, testHead));
  return { round, configHash, cached: false };
}

interface Source {
  readonly job: PreprocessJob;
  readonly config: string;
  readonly configHash: string;
  readonly round: string;
  readonly trainDigest: string;
  readonly testDigest: string;
  readonly scaling: Scaling;
  readonly createdAt: number;
}

/** Stores a table under its digest and says what its head shall say. The bytes hold no clock: equal input gives equal bytes. */
async function storeTable(
  store: ObjectStore,
  table: Table,
  name: string,
  source: Source,
): Promise<TableHead> {
  const { job, config, configHash, round, scaling } = source;
  const bytes = writeParquet(table, {
    preprocess_config: config,
    config_hash: configHash,
    identifier: job.identifier,
    round,
    scaling: JSON.stringify(scaling),
  });
  const stored: DigestedClaim = await storeClaimed(
    store,
    job.outputBucket,
    (digest) => keys.processedTable(job.identifier, digest, name),
    bytes,
  );
  return {
    identifier: job.identifier,
    source_bucket: job.inputBucket,
    train_source_object: job.settings.data.trainFile,
    test_source_object: job.settings.data.testFile,
    config,
    config_hash: configHash,
    created_at: new Date(source.createdAt).toISOString(),
    scaler_type: scaling.kind,
    output_object: stored.object,
    row_count: rowCount(table),
    column_names: [...table.columns],
    v: MESSAGE_VERSION,
    round,
    output_bucket: job.outputBucket,
    size: stored.size,
    sha256: stored.sha256,
    train_source_sha256: source.trainDigest,
    test_source_sha256: source.testDigest,
    scaling: { kind: scaling.kind, columns: [...scaling.columns] },
  };
}

const describe = (round: string, configHash: string, train: TableHead, test: TableHead) => ({
  round,
  config_hash: configHash,
  train_rows: train.row_count,
  test_rows: test.row_count,
  train_shape: [train.row_count, train.column_names.length],
  test_shape: [test.row_count, test.column_names.length],
  columns: train.column_names,
});

function logSteps(
  log: Logger,
  { data }: PreprocessSettings,
  trainRaw: Table,
  testRaw: Table,
  train: Table,
  test: Table,
  report: { readonly train: TableReport; readonly test: TableReport },
): void {
  if (data.sampleTrainRows > 0 || data.sampleTestRows > 0)
    log.info("sampling_applied", {
      train_rows_before: rowCount(trainRaw),
      test_rows_before: rowCount(testRaw),
      train_rows_after: rowCount(train),
      test_rows_after: rowCount(test),
      strategy: data.sampleStrategy,
    });
  for (const [table, { grid, imputation }] of Object.entries(report))
    log.info("imputation_applied", {
      table,
      filled_cells: imputation.filledCells,
      dropped_rows: imputation.droppedRows,
      dropped_columns: imputation.droppedColumns,
      step_ms: grid.stepMs,
      gaps: grid.gaps,
      missing_rows: grid.missingRows,
    });
}
