import { FltsError } from "@flts/common/contracts/errors";
import { sha256 } from "@flts/common/contracts/identity";
import type { Clock } from "@flts/common/ports/clock";
import { fitBaselines } from "@flts/forecasting/evaluation/baselines";
import type { RollingForecasts } from "@flts/forecasting/evaluation/forecasts";
import type { GateVerdict } from "@flts/forecasting/evaluation/gate";
import { bandsOfAll } from "@flts/forecasting/evaluation/intervals";
import { rollForecasts } from "@flts/forecasting/evaluation/rolling";
import {
  type Contestant,
  compareNrmse,
  type PairedDifference,
  type Standing,
  standingOf,
} from "@flts/forecasting/evaluation/standing";
import { interleave } from "@flts/forecasting/interleave";
import { stepOf } from "@flts/forecasting/preprocess/grid";
import { preprocessPair } from "@flts/forecasting/preprocess/pipeline";
import { defaultSettings } from "@flts/forecasting/preprocess/settings";
import { withTimeFeatures } from "@flts/forecasting/recursive";
import { writeParquet } from "@flts/forecasting/table/parquet";
import { columnOf, rowCount, type Table } from "@flts/forecasting/table/table";
import { z } from "zod";
import type { Artifact } from "../artifact.ts";
import type { Family, Progress } from "../family.ts";
import { fitFamily } from "../fit.ts";
import type { Model } from "../model.ts";
import { chooseModel } from "./choice.ts";

export interface EvaluationTask {
  readonly station: string;
  /** Raw units, as the files hold them. */
  readonly train: Table;
  readonly test: Table;
  readonly targets: readonly string[];
  readonly families: readonly Family[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (family: string, progress: Progress) => void;
}

/** How a station's models did on its test file: one step ahead of every row with enough history in the file. */
export interface StationEvaluation {
  readonly station: string;
  readonly rows: { readonly train: number; readonly test: number };
  /** The family that the gate would promote, chosen on the train file's score rows; null when it would reject them all. */
  readonly best: string | null;
  readonly verdict: GateVerdict;
  /** The gate's sentence. */
  readonly reason: string;
  /** Best nrmse first. */
  readonly families: readonly (Standing & { readonly seconds: number })[];
  readonly baselines: readonly Standing[];
  /** Families that could not be trained on this station, and why. */
  readonly failed: readonly { readonly family: string; readonly code: string; readonly message: string }[];
  /** The best against everything else, by nrmse. */
  readonly pairs: readonly (PairedDifference & { readonly a: string; readonly b: string })[];
  /** The forecasts of the best (or of the family of lowest nrmse), to be plotted. */
  readonly forecasts: StationForecasts;
}

export interface StationForecasts {
  readonly family: string;
  /** Time stamps of what was forecast. `[n]` */
  readonly timesMs: Float64Array;
  /** Each `[n, targets]`, row-major, raw units. */
  readonly actual: Float64Array;
  readonly forecast: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** Seeds and intervals are functions of the data alone: the same files give the same numbers. */
const BOOTSTRAP_SEED = 1;

/**
 * Evaluates families on one station as the paper does (V. Perifanis et al., "Federated learning for 5G base station traffic forecasting", 2023): train and
 * test files as given, every next row of the test file forecast from the rows before it. Training, intervals and the gate's choice see the train file alone.
 * @throws TABLE_TOO_SHORT, COLUMN_MISSING, TABLE_INVALID; the fault of the first family when none could be trained
 */
export async function evaluateStation(task: EvaluationTask): Promise<StationEvaluation> {
  const { station, targets } = task;
  for (const table of [task.train, task.test]) for (const target of targets) columnOf(table, target);
  const { train, scaling } = preprocessPair(
    task.train,
    task.test,
    defaultSettings(`${station}.csv`, `${station}_test.csv`),
  );
  const parquet = writeParquet(train, { scaling: JSON.stringify(scaling) });
  const { trained, failed } = await trainAll(parquet, task);
  try {
    const raw = withTimeFeatures(task.train, train.columns);
    const models = trained.map(({ model }) => model);
    const decision = await chooseModel(models, raw, scaling, targets, BOOTSTRAP_SEED);
    const best = decision.verdict === "rejected" ? null : decision.candidate;
    const test = withTimeFeatures(task.test, train.columns);
    const rolled = await rollAll(trained, test);
    const actual = rolled[0]!.rows.actual;
    const families = rolled
      .map(({ contestant, seconds }) => ({ ...standingOf(actual, contestant, targets), seconds }))
      .toSorted((a, b) => (a.nrmse ?? Infinity) - (b.nrmse ?? Infinity));
    const simple = baselineContestants(task, rolled[0]!.rows);
    const shown = rolled.find(({ contestant }) => contestant.name === (best ?? families[0]?.name))!;
    const others = [...rolled.map(({ contestant }) => contestant), ...simple].filter(
      ({ name }) => name !== shown.contestant.name,
    );
    return {
      station,
      rows: { train: rowCount(task.train), test: rowCount(task.test) },
      best,
      verdict: decision.verdict,
      reason: decision.reason,
      families,
      baselines: simple.map((contestant) => standingOf(actual, contestant, targets)),
      failed,
      pairs: others.map(({ name, forecast }) => ({
        a: shown.contestant.name,
        b: name,
        ...compareNrmse(actual, shown.contestant.forecast, forecast, targets.length, BOOTSTRAP_SEED),
      })),
      forecasts: {
        family: shown.contestant.name,
        timesMs: Float64Array.from(shown.rows.origins, (origin) => test.timesMs[origin + 1]!),
        actual,
        forecast: shown.contestant.forecast,
        ...shown.contestant.bands,
      },
    };
  } finally {
    await Promise.all(trained.map(({ model }) => model.close()));
  }
}

interface Trained {
  readonly artifact: Artifact;
  readonly model: Model;
  readonly seconds: number;
}

async function trainAll(
  parquet: Uint8Array,
  { station, targets, families, clock, signal, onProgress }: EvaluationTask,
): Promise<{ readonly trained: readonly Trained[]; readonly failed: StationEvaluation["failed"] }> {
  const trained: Trained[] = [];
  const faults: { readonly family: string; readonly error: FltsError }[] = [];
  const digest = sha256(parquet);
  // What combines the others comes after them.
  for (const family of families.toSorted((a, b) => Number(a.combines) - Number(b.combines))) {
    signal.throwIfAborted();
    const started = clock.monotonicMs();
    try {
      const { artifact } = await fitFamily(family, {
        parquet,
        targets,
        settings: z.object(family.settings).parse({}),
        seed: `${digest}/${family.name}`,
        provenance: {
          round: digest,
          work_key: digest,
          config_hash: "",
          identifier: station,
          table: { bucket: "", object: "", size: parquet.byteLength, sha256: digest },
          code_version: "",
        },
        members: family.combines ? trained.map((member) => member.artifact) : [],
        signal,
        onProgress: (progress) => onProgress(family.name, progress),
      });
      const seconds = (clock.monotonicMs() - started) / 1000;
      const forecaster = await family.load(artifact.files, artifact.manifest);
      trained.push({
        artifact,
        model: { manifest: artifact.manifest, forecaster, close: () => forecaster.close() },
        seconds,
      });
    } catch (error) {
      if (!(error instanceof FltsError && error.kind === "poison")) throw error;
      faults.push({ family: family.name, error });
    }
  }
  if (trained.length === 0)
    throw faults[0]?.error ?? new FltsError("SETTINGS_INVALID", "there is no family to evaluate");
  const failed = faults.map(({ family, error }) => ({ family, code: error.code, message: error.message }));
  return { trained, failed };
}

interface Rolled {
  readonly rows: RollingForecasts;
  readonly contestant: Required<Contestant>;
  readonly seconds: number;
}

/** Every model on the same rows of the test table: as much history is left out as the longest window needs. */
async function rollAll(trained: readonly Trained[], test: Table): Promise<readonly Rolled[]> {
  const history = Math.max(...trained.map(({ model }) => model.forecaster.window));
  const rolled: Rolled[] = [];
  for (const { model, seconds } of trained) {
    const { forecaster, manifest } = model;
    const rows = await rollForecasts(forecaster, test, { rows: [0, rowCount(test)], history });
    const columns = forecaster.targets.map((target) => columnOf(test, target));
    const bands = bandsOfAll(manifest.intervals, rows, columns);
    rolled.push({ rows, contestant: { name: manifest.family, forecast: rows.forecast, bands }, seconds });
  }
  return rolled;
}

/** Baselines are fitted on the whole train file, and look back into it where the test file goes on from its end. */
function baselineContestants(
  { train, test, targets }: EvaluationTask,
  { origins }: RollingForecasts,
): readonly Contestant[] {
  const stepMs = stepOf(train);
  const [lastTrain, firstTest] = [train.timesMs.at(-1) ?? 0, test.timesMs[0] ?? 0];
  const before = firstTest - lastTrain === stepMs ? rowCount(train) : 0;
  const perTarget = targets.map((target) => {
    const fitted = columnOf(train, target);
    const measured = columnOf(test, target);
    const joined = before === 0 ? measured : concat(fitted, measured);
    return fitBaselines(fitted, [0, fitted.length], stepMs).map(({ name, forecast }) => {
      const [first, last] = [before + (origins[0] ?? 0), before + (origins.at(-1) ?? 0)];
      const all = forecast(joined, first, last, 1);
      return { name, values: Float64Array.from(origins, (origin) => all[before + origin - first]!) };
    });
  });
  return perTarget[0]!.map(({ name }, index) => ({
    name,
    forecast: interleave(perTarget.map((baselines) => baselines[index]!.values)),
  }));
}

function concat(first: Float64Array, second: Float64Array): Float64Array {
  const joined = new Float64Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

/** The mean nrmse over stations of everyone who was measured on all of them, and of what the gate chose. */
export function meanNrmse(
  stations: readonly StationEvaluation[],
): readonly { readonly name: string; readonly nrmse: number }[] {
  const boards = stations.map(({ best, families, baselines }) => {
    const board = new Map([...families, ...baselines].map(({ name, nrmse }) => [name, nrmse]));
    const chosen = best === null ? undefined : board.get(best);
    return chosen === undefined ? board : new Map([["best", chosen], ...board]);
  });
  const names = [...new Set(boards.flatMap((board) => [...board.keys()]))];
  return names.flatMap((name) => {
    const values = boards.map((board) => board.get(name) ?? Number.NaN);
    const nrmse = values.reduce((sum, value) => sum + value, 0) / values.length;
    return Number.isNaN(nrmse) ? [] : [{ name, nrmse }];
  });
}
