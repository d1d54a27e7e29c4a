import { FltsError } from "@flts/common/contracts/errors";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { type ForecastPoint, pointsOf, targetOf } from "../forecast.ts";
import { openHome } from "../home.ts";
import type { Dataset } from "../pipeline/dataset.ts";
import { requestForecast } from "../pipeline/inference-client.ts";
import { lastMeasurements } from "../pipeline/measurements.ts";
import { createNarrator } from "../pipeline/narrate.ts";
import { findOutcome, type Outcome, readHead } from "../pipeline/outcome.ts";
import { type Pipeline, startPipeline, urlOf } from "../pipeline/pipeline.ts";
import type { PipelineOptions } from "../pipeline/process-specs.ts";
import { advance, noProgress, type Progress, secondsOf, settledWork } from "../pipeline/progress.ts";
import { stageBars } from "../pipeline/stage-bars.ts";
import { type RoundFacts, summaryJson } from "../summary.ts";
import { summaryText } from "../summary-text.ts";
import type { Output } from "../terminal/output.ts";
import { type Session, withSession } from "./session.ts";

export interface DemoOptions extends PipelineOptions {
  readonly dataset: Dataset;
}

/** Half an hour ahead, and the two and a half hours before it. */
const HORIZON = 15;
const MEASURED_ROWS = 75;

const POLL_MS = 100;
/** Bars are redrawn so often. */
const FRAME_MS = 100;
/** From promotion to the first answer of the promoted model. */
const SERVING_TIMEOUT_MS = 60_000;
/** A service that dies so often will not live; `flts up` would go on trying. */
const MAX_RESTARTS = 5;

/** `flts demo`: one round from file to forecast. @throws the reason of `signal` */
export async function demo(options: DemoOptions, output: Output, signal: AbortSignal): Promise<void> {
  const { home, dataset } = options;
  const begunMs = performance.now();
  const watch = watchProgress(options.families, output);
  let facts: RoundFacts | undefined;
  await withSession(home, output, signal, watch, async (session) => {
    facts = await Promise.race([playRound(options, session, watch, begunMs), watch.dying]);
  }).finally(watch.stop);
  signal.throwIfAborted();
  if (facts === undefined) throw new Error("the round ended without its facts");
  const measured = await lastMeasurements(dataset, facts.target, MEASURED_ROWS);
  const surroundings = { width: output.screen.width, style: output.style, measured };
  output.say("", ...summaryText(facts, surroundings), "", ...whereNext(home));
  assertSomethingTrained(facts);
  output.result(summaryJson(facts));
}

/** A gate that lets nothing pass has done its work; trainings of which none succeeded have not. */
function assertSomethingTrained({ outcome: { decision } }: RoundFacts): void {
  if (decision.scoreboard.length > 0) return;
  const reasons = decision.failed.map(({ model_type, code, reason }) => `${model_type} (${code}): ${reason}`);
  throw new FltsError("TABLE_INVALID", `no training succeeded: ${reasons.join("; ")}`);
}

async function playRound(
  options: DemoOptions,
  session: Session,
  watch: Watch,
  begunMs: number,
): Promise<RoundFacts> {
  const { home, dataset } = options;
  const pipeline = await startPipeline(session, options, [dataset]);
  const { round, configHash, rows, columnNames } = watch.progress().preprocess;
  if (round === undefined || configHash === undefined || rows === undefined || columnNames === undefined)
    throw new Error("preprocess ended without saying what it made");
  const backends = await openHome(home);
  try {
    const outcome = await waitForOutcome(backends.store, round, watch, session);
    const { target, points } = await waitForForecast(pipeline, backends.store, session);
    const { preprocess, evaluation } = watch.progress();
    return {
      dataset: dataset.name,
      rows,
      columnNames,
      configHash,
      round,
      outcome,
      target,
      forecast: points,
      seconds: {
        preprocess: secondsOf(preprocess),
        train: trainingSeconds(watch.progress()),
        eval: secondsOf(evaluation),
        total: (performance.now() - begunMs) / 1000,
      },
    };
  } finally {
    await backends.close();
  }
}

/** Waits for eval's decision about the trainings of this run. How long is the trainings' affair. */
async function waitForOutcome(
  store: ObjectStore,
  round: string,
  watch: Watch,
  { clock, signal }: Session,
): Promise<Outcome> {
  for (;;) {
    const expected = settledWork(watch.progress(), round);
    const outcome = expected === null ? null : await findOutcome(store, round, expected);
    if (outcome !== null) return outcome;
    await clock.sleep(POLL_MS, signal);
    signal.throwIfAborted();
  }
}

/** The forecast of whatever the head names, once inference serves it; none where there never was a champion. */
async function waitForForecast(
  pipeline: Pipeline,
  store: ObjectStore,
  { clock, signal }: Session,
): Promise<{ readonly target: string; readonly points: readonly ForecastPoint[] }> {
  const head = await readHead(store, "");
  if (head === null) return { target: "down", points: [] };
  const deadline = clock.monotonicMs() + SERVING_TIMEOUT_MS;
  for (;;) {
    let reason: unknown;
    try {
      const answer = await requestForecast(urlOf(pipeline, "inference"), {
        identifier: "",
        horizon: HORIZON,
      });
      const target = targetOf(answer.predictions);
      if (answer.run_id === head.run_id) return { target, points: pointsOf(target, answer.predictions) };
      reason = new FltsError("INPUT_MISSING", `inference still serves run ${answer.run_id}`);
    } catch (error) {
      reason = error;
    }
    if (clock.monotonicMs() > deadline) throw reason;
    await clock.sleep(POLL_MS, signal);
    signal.throwIfAborted();
  }
}

/** From the first training's start to the last one's end. */
function trainingSeconds({ families }: Progress): number {
  const all = [...families.values()];
  const begun = all.flatMap(({ begunMs }) => begunMs ?? []);
  const ended = all.flatMap(({ endedMs }) => endedMs ?? []);
  return begun.length === 0 || ended.length === 0
    ? 0
    : secondsOf({ begunMs: Math.min(...begun), endedMs: Math.max(...ended) });
}

/** What the services' log lines come to, drawn as bars on a terminal and told line by line elsewhere. */
interface Watch {
  readonly onLine: Parameters<typeof withSession>[3]["onLine"];
  readonly onRestart: (name: string, reason: string) => void;
  /** Rejects when a service keeps dying. */
  readonly dying: Promise<never>;
  progress(): Progress;
  /** Draws the bars for the last time and leaves them. */
  stop(): void;
}

function watchProgress(families: readonly string[], output: Output): Watch {
  let progress = noProgress(families);
  const narrate = createNarrator();
  const restarts = new Map<string, number>();
  const dying = Promise.withResolvers<never>();
  dying.promise.catch(() => undefined); // Whoever awaits it hears of it.
  const draw = (): void => output.block.update(stageBars(progress, performance.now(), output.style));
  const frames = setInterval(draw, FRAME_MS);
  return {
    onLine(name, line) {
      progress = advance(progress, line, performance.now());
      const told = output.screen.live ? null : narrate(name, line);
      if (told !== null) output.say(told);
    },
    onRestart(name, reason) {
      const count = (restarts.get(name) ?? 0) + 1;
      restarts.set(name, count);
      if (count >= MAX_RESTARTS)
        dying.reject(
          new FltsError("INPUT_MISSING", `${name} died ${count} times, the last time with: ${reason}`),
        );
    },
    dying: dying.promise,
    progress: () => progress,
    stop() {
      clearInterval(frames);
      draw();
      output.block.finish();
    },
  };
}

const whereNext = (home: string): string[] => [
  `State lies in ${home}: objects, runs and messages, and every service's log in ${home}/logs.`,
  "Go on with 'pnpm flts predict' (forecast from here), 'pnpm flts up' (services that stay), 'pnpm flts status'.",
];
