import { loadModel } from "@flts/families/model";
import { forecastAfter } from "@flts/forecasting/recursive";
import type { Reply } from "@flts/testing/load/connection";
import { runOpenLoop } from "@flts/testing/load/open-loop";
import type { LoadSummary } from "@flts/testing/load/outcome";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { type BenchHome, promote, type StoredRun } from "./home.ts";
import type { Replica } from "./replica.ts";
import { type BenchStation, historyOf } from "./station.ts";

export interface SwapOptions {
  readonly home: BenchHome;
  readonly station: BenchStation;
  readonly replicas: readonly Replica[];
  readonly requests: readonly Uint8Array[];
  /** Models to promote in turn. */
  readonly runs: readonly StoredRun[];
  /** A run that cannot be served; promoted before every tenth swap. */
  readonly rotten: StoredRun;
  readonly swaps: number;
  /** The epoch of the promotion that is served at first. */
  readonly epoch: number;
  /** Requests per second, over all replicas. */
  readonly rate: number;
}

export interface SwapSummary {
  readonly swaps: number;
  readonly rotten: number;
  readonly answered: number;
  readonly refused: number;
  readonly failures: number;
  /** Answers that were not computed by the run that they name. */
  readonly mislabelled: number;
  /** From the promotion to each replica's first answer that names it. */
  readonly firstAnswerP50Ms: number;
  readonly firstAnswerP99Ms: number;
  readonly p99Ms: number;
}

const ROTTEN_EVERY = 10;
/** A model that is promoted answers within so long, or the run has failed. */
const SWAP_TIMEOUT_MS = 60_000;
/** Batches of other sizes round otherwise. */
const TOLERANCE = 1e-5;

interface Answer {
  readonly run_id: string;
  readonly epoch: number;
  readonly predictions: readonly { readonly down: number }[];
}

/** Promotes one model after another under load, some of them rotten, and holds every answer to the run that it names. */
export async function runSwaps(options: SwapOptions): Promise<SwapSummary> {
  const { home, station, replicas, requests, runs, rotten, swaps, rate } = options;
  const expected = new Map<string, Float64Array>();
  for (const run of runs) expected.set(run.runId, await answersOf(run, station, requests.length));
  assertTold(expected);
  const seen = replicas.map(() => options.epoch);
  const delays: number[] = [];
  let promotedAt = 0;
  let epoch = options.epoch;
  let mislabelled = 0;
  let arrived = Promise.withResolvers<void>();

  const look =
    (replica: number) =>
    ({ status, bytes }: Reply, request: number): void => {
      if (status !== 200) return;
      const answer = JSON.parse(bytes.toString("latin1", bytes.indexOf("\r\n\r\n") + 4)) as Answer;
      const value = expected.get(answer.run_id)?.[request] ?? Number.NaN;
      const error = Math.abs((answer.predictions[0]?.down ?? Number.NaN) - value);
      if (!(error <= TOLERANCE * Math.max(1, value))) mislabelled += 1;
      if (answer.epoch !== epoch || seen[replica] === epoch) return;
      seen[replica] = epoch;
      delays.push(performance.now() - promotedAt);
      if (seen.every((each) => each === epoch)) arrived.resolve();
    };

  const stop = new AbortController();
  const loads = replicas.map(({ host, port }, replica) =>
    runOpenLoop({
      host,
      port,
      requests,
      rate: rate / replicas.length,
      durationMs: Number.POSITIVE_INFINITY,
      signal: stop.signal,
      random: createSeededRandom(replica).next,
      onReply: look(replica),
    }),
  );
  for (let swap = 0; swap < swaps; swap++) {
    if (swap % ROTTEN_EVERY === 0) {
      await promote(home, rotten, ++epoch);
      await new Promise((resolve) => setTimeout(resolve, POISON_MS));
    }
    arrived = Promise.withResolvers();
    epoch += 1;
    promotedAt = performance.now();
    await promote(home, runs[swap % runs.length]!, epoch);
    const timer = setTimeout(
      () => arrived.reject(new Error(`epoch ${epoch} is not served`)),
      SWAP_TIMEOUT_MS,
    );
    await arrived.promise;
    clearTimeout(timer);
  }
  stop.abort();
  const summaries = await Promise.all(loads);
  const total = (field: "answered" | "refused" | "failures"): number =>
    summaries.reduce((sum, summary: LoadSummary) => sum + summary[field], 0);
  const sorted = delays.toSorted((a, b) => a - b);
  const quantile = (share: number): number =>
    Number((sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1));
  return {
    swaps,
    rotten: Math.ceil(swaps / ROTTEN_EVERY),
    answered: total("answered"),
    refused: total("refused"),
    failures: total("failures"),
    mislabelled,
    firstAnswerP50Ms: quantile(0.5),
    firstAnswerP99Ms: quantile(0.99),
    p99Ms: Math.max(...summaries.map(({ p99Ms }) => p99Ms)),
  };
}

/** An answer shows who gave it only if no two runs give the same. */
function assertTold(expected: ReadonlyMap<string, Float64Array>): void {
  const [first, ...others] = expected.values();
  for (const other of others)
    if (other.some((value, request) => value === first?.[request]))
      throw new Error("the runs cannot be told apart by their answers: train them longer");
}

/** How long a rotten promotion is left to be tried. */
const POISON_MS = 30;

/** What a run answers to each request, computed here and one by one. */
async function answersOf(
  { artifact }: StoredRun,
  station: BenchStation,
  count: number,
): Promise<Float64Array> {
  const { forecaster, manifest, close } = await loadModel(artifact);
  const answers = new Float64Array(count);
  for (let request = 0; request < count; request++) {
    const { forecast } = await forecastAfter(forecaster, manifest.intervals, historyOf(station, request), 1);
    answers[request] = forecast[0]!;
  }
  await close();
  return answers;
}
