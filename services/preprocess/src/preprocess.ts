import { setImmediate } from "node:timers/promises";
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
import { type Pair, preprocessColumns } from "@flts/forecasting/preprocess/pipeline";
import { checkSettings, type PreprocessSettings } from "@flts/forecasting/preprocess/settings";
import { claimsOf, readHeads, type TableHead } from "./head.ts";
import { digestOf, readCsv } from "./input.ts";
import { storeTable } from "./output.ts";
import { openSpill, type Spill, type SpillOptions } from "./spill.ts";
import { createSpilledTable, type SpilledTable } from "./spilled-table.ts";
import { describeTables, logSteps } from "./step-lines.ts";

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
  /** Where columns lie that do not fit into memory. */
  readonly spill: SpillOptions;
}

export interface PreprocessResult {
  readonly round: string;
  readonly configHash: string;
  /** True when the tables were there already and only the claims were sent again. */
  readonly cached: boolean;
}

/**
 * Turns a station's two files into a training table and a test table, and sends the claims on them. Tables first, then heads, then claims: a crash leaves
 * at most objects that the next run arrives at again. Rows go by in blocks and columns one at a time, so that memory does not grow with the files but
 * by a few columns.
 * @throws INPUT_MISSING, CSV_INVALID, SETTINGS_INVALID, TABLE_TOO_SHORT, TABLE_INVALID, COLUMN_MISSING, OBJECT_TOO_LARGE when the spill is full,
 * OBJECT_NAME_INVALID for an identifier that names no station, CONFIG_INVALID when there is no place for the spill, STORE_UNAVAILABLE
 */
export async function preprocess(job: PreprocessJob, deps: PreprocessDeps): Promise<PreprocessResult> {
  const { store, log } = deps;
  const { data } = job.settings;
  checkSettings(job.settings);
  const config = canonicalConfig(job.settings);
  const configHash = sha256(config);
  const headRefs: Pair<{ bucket: string; key: string }> = {
    train: { bucket: job.outputBucket, key: keys.processedHead(job.identifier, job.outputTrain) },
    test: { bucket: job.outputBucket, key: keys.processedHead(job.identifier, job.outputTest) },
  };
  log.info("download_start", {
    identifier: job.identifier,
    config_hash: configHash,
    train_file: data.trainFile,
    test_file: data.testFile,
  });
  const trainDigest = await digestOf(store, { bucket: job.inputBucket, key: data.trainFile });
  const testDigest = await digestOf(store, { bucket: job.inputBucket, key: data.testFile });
  const round = roundOf({ identifier: job.identifier, configHash, trainDigest, testDigest });

  const earlier = await readHeads(store, headRefs.train, headRefs.test);
  if (earlier !== null && earlier.train.round === round && earlier.test.round === round) {
    if (!job.force) {
      log.info("skip_idempotent", { result: "cached", ...describeTables(earlier.train, earlier.test) });
      await deps.publish(claimsOf(earlier.train, earlier.test));
      return { round, configHash, cached: true };
    }
    log.info("force_reprocess", { reason: "FORCE_REPROCESS", prev_config_hash: earlier.train.config_hash });
  }

  const work = { job, config, configHash, round, trainDigest, testDigest, createdAt: deps.clock.now() };
  const spill = openSpill(job.spill);
  try {
    const { train, test } = await storeTables(spill, work, deps);
    log.info("upload_done", { size_train: train.size, size_test: test.size });
    await writeDocument(store, headRefs.test, test);
    await writeDocument(store, headRefs.train, train);
    log.info("pipeline_done", describeTables(train, test));
    await deps.publish(claimsOf(train, test));
  } finally {
    spill.close();
  }
  return { round, configHash, cached: false };
}

/** What is known before the first row is read. */
interface Work {
  readonly job: PreprocessJob;
  /** The canonical text of the settings, and its digest. */
  readonly config: string;
  readonly configHash: string;
  readonly round: string;
  readonly trainDigest: string;
  readonly testDigest: string;
  readonly createdAt: number;
}

/** From CSV in the store to Parquet in the store; what the two heads shall say. */
async function storeTables(
  spill: Spill,
  work: Work,
  { store, log }: PreprocessDeps,
): Promise<Pair<TableHead>> {
  const { inputBucket, outputTrain, outputTest, settings } = work.job;
  const { trainFile, testFile, district } = settings.data;
  const raw = { train: createSpilledTable(spill, "raw-train"), test: createSpilledTable(spill, "raw-test") };
  const train = { ref: { bucket: inputBucket, key: trainFile }, digest: work.trainDigest, district };
  const test = { ref: { bucket: inputBucket, key: testFile }, digest: work.testDigest, district };
  await readCsv(store, train, raw.train);
  await readCsv(store, test, raw.test);
  log.info("download_done", { train_rows: raw.train.rows, test_rows: raw.test.rows });

  const made = { train: createSpilledTable(spill, "train"), test: createSpilledTable(spill, "test") };
  const steps = preprocessColumns(raw, made, settings);
  let step = steps.next();
  while (step.done !== true) {
    await setImmediate(); // a column of millions of rows takes a second: probes and signals come in between
    step = steps.next();
  }
  const { scaling, report } = step.value;
  logSteps(log, settings, raw, made, report);
  return {
    train: await storeOne(made.train, outputTrain, scaling),
    test: await storeOne(made.test, outputTest, scaling),
  };

  /** Stores a table under its digest and says what its head shall say. The bytes hold no clock: equal input gives equal bytes. */
  async function storeOne(table: SpilledTable, name: string, fitted: Scaling): Promise<TableHead> {
    const { job, config, configHash, round } = work;
    const stored = await storeTable(store, spill, table, {
      name: `${name}.parquet`,
      bucket: job.outputBucket,
      keyOf: (digest) => keys.processedTable(job.identifier, digest, name),
      metadata: {
        preprocess_config: config,
        config_hash: configHash,
        identifier: job.identifier,
        round,
        scaling: JSON.stringify(fitted),
      },
    });
    return {
      identifier: job.identifier,
      source_bucket: inputBucket,
      train_source_object: trainFile,
      test_source_object: testFile,
      config,
      config_hash: configHash,
      created_at: new Date(work.createdAt).toISOString(),
      scaler_type: fitted.kind,
      output_object: stored.object,
      row_count: table.rows,
      column_names: [...table.columns],
      v: MESSAGE_VERSION,
      round,
      output_bucket: job.outputBucket,
      size: stored.size,
      sha256: stored.sha256,
      train_source_sha256: work.trainDigest,
      test_source_sha256: work.testDigest,
      scaling: { kind: fitted.kind, columns: [...fitted.columns] },
    };
  }
}
