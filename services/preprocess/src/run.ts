import { codeOf, FltsError } from "@flts/common/contracts/errors";
import { stationOf } from "@flts/common/contracts/identity";
import type { Emission } from "@flts/common/contracts/topic";
import { untilAvailable } from "@flts/common/service/until-available";
import { PREPROCESS_DEAD_LETTERS } from "@flts/common/stage/topics";
import { type PreprocessConfig, settingsOf } from "./config.ts";
import { type PreprocessDeps, preprocess } from "./preprocess.ts";
import { listStations, type Station } from "./stations.ts";

export interface JobDeps extends PreprocessDeps {
  /** Aborts when the job is told to stop. */
  readonly signal: AbortSignal;
}

interface Failure {
  readonly identifier: string;
  readonly error: unknown;
}

/**
 * Preprocesses every station that the configuration names. One that fails leaves a line and a dead letter, and keeps no other from being done; a store or
 * a log that is away is waited for, at any point: what was done before is arrived at again.
 * @throws what failed: the error itself where it is about one station only, else an error that names them all with the code of the first
 */
export async function runJob(config: PreprocessConfig, deps: JobDeps): Promise<void> {
  const { clock, log, publish, signal } = deps;
  const failures: Failure[] = [];
  const stations = await attempt(config.IDENTIFIER, () =>
    untilAvailable(deps, "the list of stations", () => listStations(config, deps.store)),
  );
  for (const station of stations ?? [])
    await attempt(station.identifier, async (durationMs) => {
      const { cached } = await untilAvailable(
        deps,
        `what station ${stationOf(station.identifier)} needs`,
        () => preprocess(jobOf(config, station), deps),
      );
      const result = cached ? "cached" : "ok";
      log.info("success", { identifier: station.identifier, duration_ms: durationMs(), result });
    });
  const [first] = failures;
  if (first === undefined) return;
  if ((stations ?? []).length < 2) throw first.error;
  throw summaryOf(failures, stations?.length ?? 0);

  async function attempt<T>(
    identifier: string,
    work: (durationMs: () => number) => Promise<T>,
  ): Promise<T | undefined> {
    const begun = clock.monotonicMs();
    const durationMs = () => Math.round(clock.monotonicMs() - begun);
    try {
      return await work(durationMs);
    } catch (error) {
      if (signal.aborted) throw error;
      failures.push({ identifier, error });
      log.error("failure", error, { identifier, duration_ms: durationMs(), result: "error" });
      await leaveLetter(deadLetterOf({ identifier, error }, config, clock.now()), identifier);
      return undefined;
    }
  }

  async function leaveLetter(letter: Emission, identifier: string): Promise<void> {
    try {
      await untilAvailable(deps, "the topic of dead letters", () => publish([letter]));
    } catch (error) {
      if (signal.aborted) throw error;
      log.error("failure", error, { identifier, result: "no dead letter" });
    }
  }
}

function jobOf(config: PreprocessConfig, { identifier, trainFile, testFile }: Station) {
  return {
    identifier,
    inputBucket: config.INPUT_BUCKET,
    outputBucket: config.OUTPUT_BUCKET,
    outputTrain: config.OUTPUT_TRAIN,
    outputTest: config.OUTPUT_TEST,
    force: config.FORCE_REPROCESS,
    settings: settingsOf(config, trainFile, testFile),
    spill: { folder: config.SPILL_DIR, maxBytes: config.SPILL_MAX_BYTES },
  };
}

/** The reference's envelope: this job consumed no message that could be published again, so its settings stand for one. */
function deadLetterOf({ identifier, error }: Failure, config: PreprocessConfig, now: number): Emission {
  const { TRAIN_FILE, TEST_FILE, DATASET_NAME } = config;
  return {
    topic: PREPROCESS_DEAD_LETTERS,
    key: "preprocess",
    value: {
      operation: "preprocess",
      status: "Failure",
      error: error instanceof Error ? error.message : String(error),
      code: codeOf(error),
      payload: { TRAIN_FILE, TEST_FILE, DATASET_NAME, IDENTIFIER: identifier },
      timestamp: now / 1000,
    },
  };
}

function summaryOf(failures: readonly Failure[], total: number): Error {
  const [first] = failures;
  const named = failures.map(({ identifier, error }) => `${identifier} (${codeOf(error)})`);
  const text = `${failures.length} of ${total} stations failed: ${named.join(", ")}; each has a line and a dead letter that say why`;
  return first?.error instanceof FltsError
    ? new FltsError(first.error.code, text, first.error)
    : new Error(text, { cause: first?.error });
}
