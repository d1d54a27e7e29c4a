import { type Backends, backendSettings, connectBackends } from "@flts/backends/connect";
import { writeDocument } from "@flts/common/claim-check/documents";
import { modelSelected } from "@flts/common/contracts/events";
import { sha256 } from "@flts/common/contracts/identity";
import { buckets, keys } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import { emit } from "@flts/common/contracts/topic";
import { loadConfig } from "@flts/common/service/config";
import { toMessage } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import { type Artifact, encodeManifest, storeArtifact } from "@flts/families/artifact";
import { settingsOf } from "@flts/families/family";
import { fitFamily } from "@flts/families/fit";
import { MODEL_FILE } from "@flts/families/onnx-forecaster";
import { familyOf } from "@flts/families/registry";
import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { writeParquet } from "@flts/forecasting/table/parquet";
import type { BenchStation } from "./station.ts";

/** The embedded backends in a folder, as the stages before inference leave them. */
export interface BenchHome {
  readonly folder: string;
  readonly backends: Backends;
}

export async function openHome(folder: string): Promise<BenchHome> {
  const backends = await connectBackends(loadConfig(backendSettings, { FLTS_HOME: folder }));
  for (const bucket of [buckets.promotion, buckets.mlflow, buckets.processed])
    await backends.store.ensureBucket(bucket);
  await backends.log.ensureTopics(pipelineTopics(1));
  return { folder, backends };
}

/** The network that the goals are stated for, trained briefly: how well it forecasts changes nothing about its speed. */
const LSTM_2_128 = { HIDDEN_SIZE: 128, NUM_LAYERS: 2, EPOCHS: 1, LEARNING_RATE: 1e-3 };

/** Trains an LSTM. Another seed gives another model. */
export async function trainLstm(
  { train, test }: BenchStation,
  seed: string,
  settings: Partial<typeof LSTM_2_128> = {},
): Promise<Artifact> {
  const processed = preprocessPair(train, test, defaultSettings("train.csv", "test.csv"));
  const parquet = writeParquet(processed.train, { scaling: JSON.stringify(processed.scaling) });
  const { artifact } = await fitFamily(familyOf("LSTM"), {
    parquet,
    targets: ["down"],
    settings: settingsOf(familyOf("LSTM"), {
      ...loadConfig(familyOf("LSTM").settings, {}),
      ...LSTM_2_128,
      ...settings,
    }),
    seed,
    provenance: {
      round: "bench",
      work_key: sha256(seed),
      config_hash: "bench",
      identifier: "",
      table: {
        bucket: buckets.processed,
        object: "bench",
        size: parquet.byteLength,
        sha256: sha256(parquet),
      },
      code_version: "bench",
    },
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  return artifact;
}

/** A model in a run of its own. */
export interface StoredRun {
  readonly runId: string;
  readonly artifact: Artifact;
}

export async function storeRun({ backends }: BenchHome, artifact: Artifact): Promise<StoredRun> {
  const { family } = artifact.manifest;
  const { runId } = await backends.tracker.startRun({ experiment: "bench", name: family, tags: {} });
  await storeArtifact(backends.tracker, runId, artifact);
  return { runId, artifact };
}

/** A run whose model is not the one that its manifest names. */
export async function storeRottenRun(home: BenchHome, artifact: Artifact): Promise<StoredRun> {
  const run = await storeRun(home, artifact);
  await home.backends.tracker.putArtifact(
    run.runId,
    `${artifact.manifest.family}/${MODEL_FILE}`,
    Buffer.from("rot"),
  );
  return run;
}

/** Does what eval does: writes a promotion of the run into the history and the head, and tells of it. */
export async function promote({ backends }: BenchHome, run: StoredRun, epoch: number): Promise<void> {
  const promotion = promotionOf(run, epoch);
  const { identifier } = promotion;
  for (const key of [keys.history(identifier, epoch), keys.head(identifier)])
    await writeDocument(backends.store, { bucket: buckets.promotion, key }, promotion);
  await backends.log.publish([toMessage(emit(modelSelected, promotion))]);
}

function promotionOf({ runId, artifact: { manifest } }: StoredRun, epoch: number): Promotion {
  return {
    identifier: "",
    config_hash: manifest.config_hash,
    run_id: runId,
    model_type: manifest.family,
    experiment: "bench",
    model_uri: `runs:/${runId}/${manifest.family}`,
    rmse: manifest.scores.rmse,
    mae: manifest.scores.mae,
    mse: manifest.scores.mse,
    score: manifest.scores.rmse,
    timestamp: new Date().toISOString(),
    weights: { rmse: 0.5, mae: 0.3, mse: 0.2 },
    v: 1,
    epoch,
    promotion_id: sha256(`${runId}/${epoch}`),
    source: "gate",
    verdict: "promoted",
    round: manifest.round,
    work_key: manifest.work_key,
    manifest_sha256: sha256(encodeManifest(manifest)),
    previous_epoch: epoch > 1 ? epoch - 1 : null,
  };
}
