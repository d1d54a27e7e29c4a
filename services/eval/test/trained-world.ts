import { storeClaimed } from "@flts/common/claim-check/claim-check";
import { writeDocument } from "@flts/common/claim-check/documents";
import type { Candidate } from "@flts/common/contracts/candidate";
import type { TrainingEvent } from "@flts/common/contracts/events";
import { sha256 } from "@flts/common/contracts/identity";
import { buckets, keys } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { createLogger, type Logger } from "@flts/common/service/logger";
import { type Artifact, encodeManifest, storeArtifact } from "@flts/families/artifact";
import { fitFamily } from "@flts/families/fit";
import { familyOf } from "@flts/families/registry";
import type { GateMode } from "@flts/forecasting/evaluation/gate";
import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { sliceRows } from "@flts/forecasting/table/table";
import { createManualClock, type ManualClock } from "@flts/testing/manual-clock";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { z } from "zod";
import type { EvalDeps } from "../src/eval-stage.ts";
import type { DoorDeps } from "../src/promotion/door.ts";
import { createLedger } from "../src/promotion/ledger.ts";
import { judgeRound, type ScoringDeps } from "../src/round/scoring.ts";
import { depsOn } from "./builders.ts";

/** Real models on a made-up station, in whatever store and tracker there are; in memory unless said otherwise. */
export interface World {
  readonly store: ObjectStore;
  readonly tracker: RunTracker;
  readonly clock: ManualClock;
  readonly log: Logger;
  /** Every line logged so far. */
  readonly lines: readonly LogLine[];
  /** What was published by the door. */
  readonly published: readonly Promotion[];
  readonly doorDeps: DoorDeps;
  evalDeps(overrides?: Partial<EvalDeps>): EvalDeps;
  /** Trains on rows of the station, and leaves what a trainer leaves. */
  train(training?: WorldTraining): Promise<Candidate>;
  judge(
    candidates: readonly Candidate[],
    champion?: Promotion | null,
    gate?: GateMode,
  ): ReturnType<typeof judgeRound>;
}

interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface WorldTraining {
  readonly from?: number;
  readonly to?: number;
  readonly window?: number;
  readonly family?: string;
  readonly identifier?: string;
  readonly round?: string;
  /** As the trainer's environment would name them. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly targets?: readonly string[];
}

export async function createWorld(
  ports: { readonly store?: ObjectStore; readonly tracker?: RunTracker } = {},
): Promise<World> {
  const { store = createMemoryStore(), tracker = createMemoryTracker() } = ports;
  const clock = createManualClock();
  await store.ensureBucket(buckets.processed);
  await store.ensureBucket(buckets.promotion);
  const lines: LogLine[] = [];
  const published: Promotion[] = [];
  const log = createLogger({
    service: "eval",
    level: "info",
    pretty: false,
    destination: { write: (line) => void lines.push(JSON.parse(line) as LogLine) },
  });
  const scoring = (gate: GateMode): ScoringDeps => ({
    store,
    tracker,
    log,
    gate,
    processedBucket: buckets.processed,
    claimMaxBytes: 1e9,
  });
  const judge: World["judge"] = (candidates, champion = null, gate = "strict") =>
    judgeRound(candidates, champion, scoring(gate));

  async function train({
    from = 0,
    to = 2_000,
    window = 10,
    family = "LINEAR",
    identifier = "",
    round = "r",
    settings = {},
    targets = ["down"],
  }: WorldTraining = {}): Promise<Candidate> {
    const parquet = tableOf(from, to);
    const claim = await storeClaimed(
      store,
      buckets.processed,
      (digest) => keys.processedTable("", digest, "processed_data"),
      parquet,
    );
    const workKey = sha256(JSON.stringify([from, to, window, family, identifier, round, settings, targets]));
    const name = { round: sha256(round), work_key: workKey, config_hash: "c", identifier };
    const artifact = await (fitted.get(workKey) ??
      remember(
        workKey,
        fitFamily(familyOf(family), {
          parquet,
          targets,
          settings: z.object(familyOf(family).settings).parse({ INPUT_SEQ_LEN: String(window), ...settings }),
          seed: workKey,
          provenance: { ...name, table: claim, code_version: "0" },
          signal: new AbortController().signal,
          onProgress: () => {},
        }).then((result) => result.artifact),
      ));
    const tags = { work_key: workKey, round: name.round, model_type: family, identifier };
    const { runId } = await tracker.startRun({ experiment: "Default", name: family, tags });
    await storeArtifact(tracker, runId, artifact);
    const candidate: Candidate = {
      v: 1,
      status: "SUCCESS",
      model_type: family,
      experiment: "Default",
      ...name,
      run_id: runId,
      manifest_sha256: sha256(encodeManifest(artifact.manifest)),
      table: claim,
      started_at: 0,
      seconds: 1,
    };
    const key = keys.candidate(name.round, family, workKey);
    await writeDocument(store, { bucket: buckets.promotion, key }, candidate);
    return candidate;
  }

  const books = {
    store,
    tracker,
    clock,
    log,
    ledger: createLedger(store, buckets.promotion),
    promotionBucket: buckets.promotion,
  };
  return {
    store,
    tracker,
    clock,
    log,
    lines,
    published,
    train,
    judge,
    doorDeps: {
      ...books,
      random: createSeededRandom(7),
      publish: async (emissions) => void published.push(...emissions.map(({ value }) => value as Promotion)),
    },
    evalDeps: (overrides = {}) => depsOn(store, { ...books, judgeRound: judge, ...overrides }),
  };
}

/** Trainings are deterministic: worlds of one test file share what they come to. */
const fitted = new Map<string, Promise<Artifact>>();
const tables = new Map<string, Uint8Array>();

function remember(workKey: string, artifact: Promise<Artifact>): Promise<Artifact> {
  fitted.set(workKey, artifact);
  return artifact;
}

/** Rows of the station, preprocessed. */
function tableOf(from: number, to: number): Uint8Array {
  const known = tables.get(`${from} ${to}`);
  if (known !== undefined) return known;
  const station = synthesizeStation({ seed: 21, rows: 2_400, startMs: Date.UTC(2024, 0, 8) });
  const rows = sliceRows(station, from, to);
  const settings = defaultSettings("a.csv", "b.csv");
  const { train, scaling } = preprocessPair(rows, sliceRows(rows, 0, 100), settings);
  const parquet = writeParquet(train, { scaling: JSON.stringify(scaling) });
  tables.set(`${from} ${to}`, parquet);
  return parquet;
}

/** The event by which a trainer tells of a candidate that did not fail. */
export const successOf = ({
  experiment,
  model_type,
  config_hash,
  identifier,
  round,
  work_key,
  run_id,
}: Candidate): TrainingEvent => ({
  v: 1,
  operation: `Trained: ${model_type}`,
  status: "SUCCESS",
  experiment,
  run_name: model_type,
  config_hash,
  identifier,
  round,
  work_key,
  run_id: run_id ?? "",
});
