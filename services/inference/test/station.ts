import { storeClaimed } from "@flts/common/claim-check/claim-check";
import { writeDocument } from "@flts/common/claim-check/documents";
import { sha256 } from "@flts/common/contracts/identity";
import { keys } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { encodeManifest, storeArtifact } from "@flts/families/artifact";
import { fitFamily } from "@flts/families/fit";
import { loadModel } from "@flts/families/model";
import { familyOf } from "@flts/families/registry";
import type { Forecaster } from "@flts/forecasting/forecaster";
import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { rollForward } from "@flts/forecasting/recursive";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { sliceRows, type Table } from "@flts/forecasting/table/table";
import type { SharedForecaster } from "../src/compute/compute.ts";
import type { OpenForecaster } from "../src/model/load-model.ts";
import { promotionOf } from "./fakes.ts";

/** A synthetic station as the stages before inference leave it: a processed test table, and a promoted model in its run. */

const TRAIN_ROWS = 1_200;
const TEST_ROWS = 60;

export interface Station {
  /** Measurements as they were before preprocessing. */
  readonly testRaw: Table;
  readonly trainParquet: Uint8Array;
  readonly testParquet: Uint8Array;
}

export function createStation(seed = 7): Station {
  const raw = synthesizeStation({ seed, rows: TRAIN_ROWS + TEST_ROWS, startMs: Date.UTC(2018, 1, 5) });
  const [trainRaw, testRaw] = [sliceRows(raw, 0, TRAIN_ROWS), sliceRows(raw, TRAIN_ROWS)];
  const { train, test, scaling } = preprocessPair(trainRaw, testRaw, defaultSettings("a.csv", "b.csv"));
  const metadata = { scaling: JSON.stringify(scaling) };
  return { testRaw, trainParquet: writeParquet(train, metadata), testParquet: writeParquet(test, metadata) };
}

/** Opens models in the thread of the tests. */
export const openHere: OpenForecaster = async (artifact) =>
  sharedHere((await loadModel(artifact)).forecaster);

/** A forecaster that computes for everybody where it is asked. */
export const sharedHere = (forecaster: Forecaster): SharedForecaster => ({
  ...forecaster,
  roll: (windows, endTimesMs, blocks) =>
    rollForward(forecaster, windows, endTimesMs, blocks * forecaster.horizon),
});

/** Trains LINEAR on the station and promotes its run. */
export async function promoteLinear(
  { trainParquet }: Station,
  tracker: RunTracker,
  epoch: number,
): Promise<Promotion> {
  const { runId } = await tracker.startRun({ experiment: "Default", name: "LINEAR", tags: {} });
  const table = {
    bucket: "processed-data",
    object: "t",
    size: trainParquet.byteLength,
    sha256: sha256(trainParquet),
  };
  const { artifact } = await fitFamily(familyOf("LINEAR"), {
    parquet: trainParquet,
    targets: ["down"],
    settings: { INPUT_SEQ_LEN: 10 },
    seed: `seed-${epoch}`,
    provenance: {
      round: "r",
      work_key: `work-${epoch}`.padEnd(64, "0"),
      config_hash: `config-${epoch}`,
      identifier: "",
      table,
      code_version: "test",
    },
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  await storeArtifact(tracker, runId, artifact);
  return promotionOf(epoch, { run_id: runId, manifest_sha256: sha256(encodeManifest(artifact.manifest)) });
}

const testTableKey = (digest: string): string => keys.processedTable("", digest, "test_processed_data");

/** Stores the processed test table under its digest, and the head that names it. */
export async function storeTestTable(store: ObjectStore, { testParquet }: Station): Promise<string> {
  await store.ensureBucket("processed-data");
  const {
    bucket,
    object,
    size,
    sha256: digest,
  } = await storeClaimed(store, "processed-data", testTableKey, testParquet);
  const head = { output_bucket: bucket, output_object: object, size, sha256: digest };
  await writeDocument(store, { bucket, key: keys.processedHead("", "test_processed_data") }, head);
  return object;
}
