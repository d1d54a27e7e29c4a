import { openClaim } from "@flts/common/claim-check/claim-check";
import type { Candidate } from "@flts/common/contracts/candidate";
import type { Decision, ScoreRow } from "@flts/common/contracts/decision";
import { FltsError, hasCode } from "@flts/common/contracts/errors";
import type { Promotion } from "@flts/common/contracts/promotion";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { invertScaling, type Scaling, scalingSchema } from "@flts/common/scaler/scaling";
import type { Logger } from "@flts/common/service/logger";
import { fetchArtifact } from "@flts/families/artifact";
import { loadModel, type Model } from "@flts/families/model";
import type { GateMode } from "@flts/forecasting/evaluation/gate";
import { readParquet } from "@flts/forecasting/table/parquet";
import { createTable, type Table } from "@flts/forecasting/table/table";
import { traitsOf } from "../promotion/version.ts";
import type { Judgement } from "./decide-round.ts";
import { type Measured, measureBaselines, measureModel, type ScoreRows, scoreRowsOf } from "./score-rows.ts";
import { type Contender, judgeBoard } from "./scoreboard.ts";

export interface ScoringDeps {
  readonly store: ObjectStore;
  readonly tracker: RunTracker;
  readonly log: Logger;
  readonly gate: GateMode;
  readonly processedBucket: string;
  readonly claimMaxBytes: number;
}

/**
 * Scores a round's candidates on the rows that none of them was trained on, all on the same rows and by the same protocol, beside the baselines and the
 * champion, and lets the gate decide. A candidate that cannot be loaded or measured counts as failed.
 * @throws CLAIM_MISSING, CLAIM_CORRUPT, TABLE_INVALID when the round's table cannot be read; STORE_UNAVAILABLE, TRACKER_UNAVAILABLE
 */
export async function judgeRound(
  candidates: readonly Candidate[],
  champion: Promotion | null,
  deps: ScoringDeps,
): Promise<Judgement> {
  const opened: Model[] = [];
  const open: OpenModel = async (runId, family, manifestSha256) => {
    const model = await loadModel(await fetchArtifact(deps.tracker, { runId, family, manifestSha256 }));
    opened.push(model);
    return model;
  };
  try {
    const { loaded, failed } = await loadCandidates(candidates, open);
    const rival = champion === null ? null : await loadChampion(champion, open, deps.log);
    return loaded.length === 0
      ? nothingToPromote(candidates, failed, deps.gate)
      : await compare(loaded, failed, champion, rival, deps);
  } finally {
    // Also of those that were open when a tracker went away: the round comes again for as long as the outage lasts.
    await Promise.all(opened.map((model) => model.close()));
  }
}

/** Loads a run's model; it is closed when the round is judged. */
type OpenModel = (runId: string, family: string, manifestSha256: string | null) => Promise<Model>;

interface Loaded {
  readonly candidate: Candidate;
  readonly model: Model;
}

async function compare(
  loaded: readonly Loaded[],
  failed: Decision["failed"],
  champion: Promotion | null,
  rival: Model | null,
  deps: ScoringDeps,
): Promise<Judgement> {
  const table = loaded[0]!.candidate.table;
  const { targets } = loaded[0]!.model.manifest;
  const { raw, scaling } = await openTable(table, deps);
  const comparable = rival !== null && canForecast(rival, raw, targets);
  if (rival !== null && !comparable)
    deps.log.warn("promotion_champion_unavailable", {
      reason: "another feature schema",
      run_id: champion?.run_id,
    });
  const rows = scoreRowsOf(
    raw,
    scaling,
    loaded.map(({ model }) => model),
    comparable ? rival : null,
  );
  const { persistence, ewma } = measureBaselines(rows);
  const { contenders, broken } = await measureContenders(loaded, rows, persistence);
  if (contenders.length === 0)
    return nothingToPromote(
      loaded.map(({ candidate }) => candidate),
      [...failed, ...broken],
      deps.gate,
    );
  const standing = comparable ? await measureModel(rival.forecaster, rows) : null;
  return {
    table,
    rows: rows.origins.length,
    gate: deps.gate,
    baselines: { persistence: errorsOf(persistence), ewma: errorsOf(ewma) },
    failed: [...failed, ...broken],
    champion:
      champion === null || standing === null
        ? null
        : {
            run_id: champion.run_id,
            model_type: champion.model_type,
            epoch: champion.epoch,
            rmse: standing.rmse,
          },
    ...judgeBoard(
      contenders,
      { persistence: persistence.losses, champion: standing?.losses ?? null },
      deps.gate,
    ),
  };
}

/** Measures every model; one whose forecasts cannot be measured spoils the round for nobody else. */
async function measureContenders(
  loaded: readonly Loaded[],
  rows: ScoreRows,
  persistence: Measured,
): Promise<{ readonly contenders: readonly Contender[]; readonly broken: Decision["failed"] }> {
  const contenders: Contender[] = [];
  const broken: Decision["failed"] = [];
  for (const { candidate, model } of loaded) {
    try {
      const measured = await measureModel(model.forecaster, rows);
      contenders.push({
        row: { ...scoreRow(candidate, measured, persistence), ...traitsOf(model.manifest) },
        startedAt: candidate.started_at,
        losses: measured.losses,
      });
    } catch (error) {
      if (!hasCode(error, "COLUMN_MISSING", "TABLE_INVALID")) throw error;
      const { model_type, work_key } = candidate;
      broken.push({ model_type, work_key, code: error.code, reason: error.message });
    }
  }
  return { contenders, broken };
}

/** A champion that was trained on another table may want columns that this one lacks, or forecast other targets. */
const canForecast = ({ manifest }: Model, raw: Table, targets: readonly string[]): boolean =>
  manifest.columns.every((column) => raw.columns.includes(column)) &&
  targets.every((target) => manifest.targets.includes(target));

async function loadCandidates(
  candidates: readonly Candidate[],
  open: OpenModel,
): Promise<{ readonly loaded: readonly Loaded[]; readonly failed: Decision["failed"] }> {
  const loaded: Loaded[] = [];
  const failed: Decision["failed"] = [];
  for (const candidate of candidates) {
    const { status, run_id, model_type, work_key, manifest_sha256, code, reason } = candidate;
    if (status === "FAILED" || run_id === null) {
      failed.push({ model_type, work_key, code: code ?? "UNCLASSIFIED", reason: reason ?? "" });
      continue;
    }
    try {
      loaded.push({ candidate, model: await open(run_id, model_type, manifest_sha256) });
    } catch (error) {
      if (!hasCode(error, "RUN_MISSING", "ARTIFACT_INVALID", "MODEL_UNKNOWN")) throw error;
      failed.push({ model_type, work_key, code: error.code, reason: error.message });
    }
  }
  return { loaded, failed };
}

/** The champion to compare with; null when it cannot be had: then the challenger has only the baselines to beat. */
async function loadChampion(
  { run_id, model_type, manifest_sha256, epoch }: Promotion,
  open: OpenModel,
  log: Logger,
): Promise<Model | null> {
  try {
    return await open(run_id, model_type, manifest_sha256);
  } catch (error) {
    if (!hasCode(error, "RUN_MISSING", "ARTIFACT_INVALID", "MODEL_UNKNOWN")) throw error;
    log.error("promotion_champion_unavailable", error, { run_id, model_type, epoch });
    return null;
  }
}

async function openTable(
  claim: Decision["table"],
  { store, processedBucket, claimMaxBytes }: ScoringDeps,
): Promise<{ readonly raw: Table; readonly scaling: Scaling }> {
  const bytes = await openClaim(store, claim, { allowedBuckets: [processedBucket], maxBytes: claimMaxBytes });
  const { table, metadata } = await readParquet(bytes);
  const scaling = scalingSchema.parse(JSON.parse(metadata["scaling"] ?? "null"));
  return {
    raw: createTable(table.timesMs, table.columns, invertScaling(scaling, table.columns, table.values)),
    scaling,
  };
}

function scoreRow(candidate: Candidate, measured: Measured, persistence: Measured): ScoreRow {
  const { rmse, mae, mse, r2, score } = measured;
  return {
    model_type: candidate.model_type,
    run_id: candidate.run_id ?? "",
    work_key: candidate.work_key,
    manifest_sha256: candidate.manifest_sha256 ?? "",
    experiment: candidate.experiment,
    rmse,
    mae,
    mse,
    r2,
    score,
    skill: persistence.rmse === 0 ? 0 : 1 - rmse / persistence.rmse,
    seconds: candidate.seconds,
  };
}

function nothingToPromote(
  candidates: readonly Candidate[],
  failed: Decision["failed"],
  gate: GateMode,
): Judgement {
  const table = candidates[0]?.table;
  if (table === undefined)
    throw new FltsError("TABLE_INVALID", "a round without candidates cannot be judged");
  return {
    table,
    rows: 0,
    scoreboard: [],
    baselines: null,
    failed,
    gate,
    champion: null,
    verdict: "rejected",
    winner: null,
    reason: `no training of the round succeeded: ${failed.map(({ model_type, code }) => `${model_type} ${code}`).join(", ")}`,
    versus_persistence: null,
    versus_champion: null,
  };
}

const errorsOf = ({ rmse, mae, r2 }: Measured) => ({ rmse, mae, r2 });
