import { type LogLine, numberField, textField } from "../supervisor/log-line.ts";

/** How far a round has come, as its services' log lines tell it. */
export interface Progress {
  readonly preprocess: PreprocessProgress;
  /** By family, in the order they were asked for. */
  readonly families: ReadonlyMap<string, FamilyProgress>;
  readonly evaluation: EvaluationProgress;
  readonly serving: { readonly runId: string; readonly family: string; readonly epoch: number } | null;
}

export interface PreprocessProgress {
  readonly state: "waiting" | "running" | "done" | "cached" | "failed";
  readonly begunMs?: number;
  readonly endedMs?: number;
  readonly round?: string;
  readonly configHash?: string;
  readonly rows?: { readonly train: number; readonly test: number };
  readonly columnNames?: readonly string[];
}

export interface FamilyProgress {
  readonly state: "waiting" | "running" | "done" | "cached" | "failed";
  readonly begunMs?: number;
  readonly endedMs?: number;
  /** The round it is at; a pipeline that was stopped may have an older one to finish first. */
  readonly round?: string;
  readonly workKey?: string;
  readonly runId?: string;
  /** 0 to 1. */
  readonly fraction: number;
  readonly epoch?: number;
  readonly epochs?: number;
  /** By epoch, where there are epochs. */
  readonly losses: readonly number[];
  /** Losses on the stop rows, by which the best epoch is chosen. */
  readonly stopLosses: readonly number[];
  readonly reason?: string;
}

export interface EvaluationProgress {
  readonly state: "waiting" | "running" | "done";
  readonly begunMs?: number;
  readonly endedMs?: number;
  readonly verdict?: string;
  readonly reason?: string;
}

export function noProgress(families: readonly string[]): Progress {
  return {
    preprocess: { state: "waiting" },
    families: new Map(families.map((family) => [family, untrained])),
    evaluation: { state: "waiting" },
    serving: null,
  };
}

const untrained: FamilyProgress = { state: "waiting", fraction: 0, losses: [], stopLosses: [] };

/** The progress after one more line. Lines that say nothing of it leave it as it is. */
export function advance(progress: Progress, line: LogLine, nowMs: number): Progress {
  const family = textField(line, "model_type");
  if (family !== undefined && (line.event.startsWith("train_") || line.event === "message_dead_lettered")) {
    const before = progress.families.get(family);
    const after = before === undefined ? undefined : trained(before, line, nowMs);
    if (after === undefined || after === before) return progress;
    return { ...progress, families: new Map(progress.families).set(family, after) };
  }
  const preprocess = preprocessed(progress.preprocess, line, nowMs);
  if (preprocess !== progress.preprocess) return { ...progress, preprocess };
  const evaluation = evaluated(progress.evaluation, line, nowMs);
  if (evaluation !== progress.evaluation) return { ...progress, evaluation };
  return line.event === "promotion_model_loaded" ? { ...progress, serving: servingOf(line) } : progress;
}

function preprocessed(before: PreprocessProgress, line: LogLine, nowMs: number): PreprocessProgress {
  switch (line.event) {
    case "download_start":
      return { state: "running", begunMs: nowMs };
    case "skip_idempotent":
    case "pipeline_done": {
      const { columns } = line.fields;
      const [train, test] = [numberField(line, "train_rows"), numberField(line, "test_rows")];
      const [round, configHash] = [textField(line, "round"), textField(line, "config_hash")];
      return {
        ...before,
        state: line.event === "pipeline_done" ? "running" : "cached",
        ...(round === undefined ? {} : { round }),
        ...(configHash === undefined ? {} : { configHash }),
        ...(train === undefined || test === undefined ? {} : { rows: { train, test } }),
        ...(Array.isArray(columns) ? { columnNames: columns.map(String) } : {}),
      };
    }
    case "success":
      return { ...before, state: before.state === "cached" ? "cached" : "done", endedMs: nowMs };
    case "failure":
      return { ...before, state: "failed", endedMs: nowMs };
    default:
      return before;
  }
}

function trained(before: FamilyProgress, line: LogLine, nowMs: number): FamilyProgress {
  const named = namesOf(line);
  switch (line.event) {
    case "train_start":
      return { ...untrained, ...named, state: "running", begunMs: nowMs };
    case "train_progress":
      return { ...before, ...named, ...epochOf(before, line) };
    case "train_complete":
    case "train_superseded":
      return { ...before, ...named, state: "done", fraction: 1, endedMs: nowMs };
    case "train_skip_duplicate": {
      const failed = textField(line, "status") === "FAILED";
      return { ...before, ...named, state: failed ? "failed" : "cached", fraction: 1 };
    }
    case "train_error":
    case "message_dead_lettered": {
      const reason = textField(line, "error");
      return {
        ...before,
        ...named,
        state: "failed",
        endedMs: nowMs,
        ...(reason === undefined ? {} : { reason }),
      };
    }
    default:
      return before;
  }
}

function namesOf(line: LogLine): Pick<FamilyProgress, "round" | "workKey" | "runId"> {
  const [round, workKey, runId] = ["round", "work_key", "run_id"].map((name) => textField(line, name));
  return {
    ...(round === undefined ? {} : { round }),
    ...(workKey === undefined ? {} : { workKey }),
    ...(runId === undefined ? {} : { runId }),
  };
}

function epochOf(before: FamilyProgress, line: LogLine): Partial<FamilyProgress> {
  const [epoch, epochs] = [numberField(line, "epoch"), numberField(line, "epochs")];
  const [loss, stopLoss] = [numberField(line, "loss"), numberField(line, "stopLoss")];
  // A loss in mid-epoch stands until the epoch's own replaces it.
  const at = (values: readonly number[], value: number | undefined): readonly number[] =>
    value === undefined
      ? values
      : epoch === undefined
        ? [...values, value]
        : values.toSpliced(epoch - 1, 1, value);
  return {
    fraction: numberField(line, "fraction") ?? before.fraction,
    losses: at(before.losses, loss),
    stopLosses: at(before.stopLosses, stopLoss),
    ...(epoch === undefined ? {} : { epoch }),
    ...(epochs === undefined ? {} : { epochs }),
  };
}

function evaluated(before: EvaluationProgress, line: LogLine, nowMs: number): EvaluationProgress {
  switch (line.event) {
    case "promotion_all_models_present":
      return { state: "running", begunMs: nowMs };
    case "promotion_decision": {
      const [verdict, reason] = [textField(line, "verdict"), textField(line, "reason")];
      return {
        ...before,
        state: "done",
        endedMs: nowMs,
        ...(verdict === undefined ? {} : { verdict }),
        ...(reason === undefined ? {} : { reason }),
      };
    }
    default:
      return before;
  }
}

const servingOf = (line: LogLine): Progress["serving"] => ({
  runId: textField(line, "run_id") ?? "",
  family: textField(line, "model_type") ?? "",
  epoch: numberField(line, "epoch") ?? 0,
});

/**
 * The families whose result for a round is in the store, with their work keys; null while one is still at work. A training that was given up
 * before it began has no work key of its own.
 */
export function settledWork(
  { families }: Progress,
  round: string,
): ReadonlyMap<string, string | null> | null {
  const settled = new Map<string, string | null>();
  for (const [family, { state, workKey, round: own = round }] of families) {
    if (own !== round || state === "waiting" || state === "running") return null;
    settled.set(family, workKey ?? null);
  }
  return settled;
}

/** Seconds between two moments, where both are known. */
export const secondsOf = ({
  begunMs,
  endedMs,
}: {
  readonly begunMs?: number | undefined;
  readonly endedMs?: number | undefined;
}): number => (begunMs === undefined || endedMs === undefined ? 0 : (endedMs - begunMs) / 1000);
