import { createHash } from "node:crypto";
import type { Backends } from "@flts/backends/connect";
import { openClaim } from "@flts/common/claim-check/claim-check";
import { readDocument } from "@flts/common/claim-check/documents";
import { candidate as candidateSchema } from "@flts/common/contracts/candidate";
import { type ErrorCode, hasCode } from "@flts/common/contracts/errors";
import { trainingData } from "@flts/common/contracts/events";
import { roundOf } from "@flts/common/contracts/identity";
import { buckets, keys } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import { parseEvent } from "@flts/common/contracts/topic";
import type { ObjectRef, ObjectStore } from "@flts/common/ports/object-store";
import { decisionsAbout, lastPromotions } from "@flts/eval/promotion/books";
import { type InspectedRun, inspectRun } from "@flts/eval/promotion/inspect-run";
import { createLedger } from "@flts/eval/promotion/ledger";
import { readParquet } from "@flts/forecasting/table/parquet";
import { z } from "zod";

/** Where a model came from and what became of it, link by link; each says whether what it refers to is still there. */
export interface Lineage {
  readonly runId: string;
  readonly station: string;
  readonly model: string;
  readonly dataset: { readonly files: readonly SourceFile[]; readonly proven: boolean };
  /** Canonical text of the preprocessing, and its digest. */
  readonly preprocessing: { readonly config: string | null; readonly configHash: string };
  readonly table: {
    readonly object: string;
    readonly sha256: string;
    readonly state: "whole" | "missing" | "corrupt";
  };
  readonly round: string;
  /** Claims on the table that the log still holds. */
  readonly claims: readonly { readonly partition: number; readonly offset: string }[];
  readonly training: {
    readonly workKey: string;
    readonly settings: Readonly<Record<string, unknown>>;
    readonly codeVersion: string;
    /** Whether the run is the one result of its work. */
    readonly isResult: boolean;
  };
  readonly manifestSha256: string;
  readonly decisions: readonly {
    readonly decisionId: string;
    readonly attempt: number;
    readonly gate: string;
    readonly verdict: string;
    readonly ownVerdict: string | null;
    readonly reason: string;
    readonly rows: number;
    readonly score: number;
    readonly skill: number;
  }[];
  readonly promotions: readonly Promotion[];
}

interface SourceFile {
  readonly object: string;
  /** Null when it is gone. */
  readonly sha256: string | null;
}

/** A table is read whole. */
const TABLE_MAX_BYTES = 1024 ** 3;

/** @throws RUN_MISSING, ARTIFACT_INVALID, PROMOTION_REFUSED as `inspectRun`; STORE_UNAVAILABLE, TRACKER_UNAVAILABLE */
export async function traceRun(runId: string, backends: Backends): Promise<Lineage> {
  const { store, tracker } = backends;
  const run = await tracker.getRun(runId);
  const identifier = run?.tags["identifier"] ?? "";
  const inspected = await inspectRun(
    { runId, identifier, family: null, manifestSha256: null },
    { store, tracker, promotionBucket: buckets.promotion },
  );
  const { manifest, manifestSha256 } = inspected;
  const table = await openTable(inspected, store);
  const files = await sourceFiles(table.config, store);
  const [train, test] = files;
  const ledger = createLedger(store, buckets.promotion);
  const promotions = await lastPromotions(manifest.identifier, Number.POSITIVE_INFINITY, ledger);
  return {
    runId,
    station: manifest.identifier,
    model: manifest.family,
    dataset: {
      files,
      // The round is a digest of the files' digests: equal rounds mean these very bytes.
      proven:
        roundOf({
          identifier: manifest.identifier,
          configHash: manifest.config_hash,
          trainDigest: train?.sha256 ?? "",
          testDigest: test?.sha256 ?? "",
        }) === manifest.round,
    },
    preprocessing: { config: table.config, configHash: manifest.config_hash },
    table: { object: manifest.table.object, sha256: manifest.table.sha256, state: table.state },
    round: manifest.round,
    claims: await claimsOn(manifest.round, backends),
    training: {
      workKey: manifest.work_key,
      settings: manifest.settings,
      codeVersion: manifest.code_version,
      isResult: await isResult(inspected, store),
    },
    manifestSha256,
    decisions: (await decisionsAbout(manifest.round, { store, promotionBucket: buckets.promotion })).flatMap(
      (decision) => {
        const row = decision.scoreboard.find(({ run_id }) => run_id === runId);
        if (row === undefined) return [];
        const { decision_id: decisionId, attempt, gate, verdict, reason, rows } = decision;
        const { score, skill, verdict: ownVerdict = null } = row;
        return [{ decisionId, attempt, gate, verdict, ownVerdict, reason, rows, score, skill }];
      },
    ),
    promotions: promotions.filter(({ run_id }) => run_id === runId),
  };
}

async function openTable(
  { manifest: { table } }: InspectedRun,
  store: ObjectStore,
): Promise<{ readonly state: Lineage["table"]["state"]; readonly config: string | null }> {
  const lost: Partial<Record<ErrorCode, Lineage["table"]["state"]>> = {
    CLAIM_MISSING: "missing",
    CLAIM_CORRUPT: "corrupt",
  };
  try {
    const bytes = await openClaim(store, table, {
      allowedBuckets: [table.bucket],
      maxBytes: TABLE_MAX_BYTES,
    });
    const { metadata } = await readParquet(bytes);
    return { state: "whole", config: metadata["preprocess_config"] ?? null };
  } catch (error) {
    if (!hasCode(error, "CLAIM_MISSING", "CLAIM_CORRUPT")) throw error;
    return { state: lost[error.code] ?? "missing", config: null };
  }
}

/** Of the canonical settings, which two files were read. */
const namedFiles = z.object({ _data: z.object({ train_file: z.string(), test_file: z.string() }) });

async function sourceFiles(config: string | null, store: ObjectStore): Promise<readonly SourceFile[]> {
  if (config === null) return [];
  const named = namedFiles.safeParse(JSON.parse(config));
  if (!named.success) return [];
  const { train_file, test_file } = named.data["_data"];
  return Promise.all(
    [train_file, test_file].map(async (object) => {
      return { object, sha256: await digestOf({ bucket: buckets.dataset, key: object }, store) };
    }),
  );
}

/** Digest of an object of any size; null when it is not there. */
async function digestOf(ref: ObjectRef, store: ObjectStore): Promise<string | null> {
  const stored = await store.stream(ref);
  if (stored === null) return null;
  const hash = createHash("sha256");
  for await (const chunk of stored.chunks) hash.update(chunk);
  return hash.digest("hex");
}

async function claimsOn(round: string, { log }: Backends): Promise<Lineage["claims"]> {
  const found: { partition: number; offset: string }[] = [];
  try {
    for await (const { partition, offset, value } of log.browse(trainingData.name)) {
      if (roundIn(value) === round) found.push({ partition, offset: String(offset) });
    }
  } catch (error) {
    if (!hasCode(error, "TOPIC_MISSING")) throw error;
  }
  return found;
}

function roundIn(value: Uint8Array): string | undefined {
  try {
    return parseEvent(trainingData, value).round;
  } catch {
    return undefined;
  }
}

async function isResult({ run, manifest }: InspectedRun, store: ObjectStore): Promise<boolean> {
  const key = keys.candidate(manifest.round, manifest.family, manifest.work_key);
  const ref = { bucket: buckets.promotion, key };
  const stored = await readDocument(store, ref, candidateSchema, "POINTER_INVALID");
  return stored?.document.run_id === run.runId;
}
