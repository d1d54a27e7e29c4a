import { stationOf } from "@flts/common/contracts/identity";
import { keys } from "@flts/common/contracts/layout";
import { dayOf } from "@flts/common/housekeeping/housekeeping";
import { repeat } from "@flts/common/housekeeping/repeat";
import type { Clock } from "@flts/common/ports/clock";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Random } from "@flts/common/ports/random";
import type { Logger } from "@flts/common/service/logger";
import type { ForecastPath } from "../predict/forecast-path.ts";
import type { Rows } from "../predict/rows.ts";
import { type KeptForecasts, linesOf } from "./kept-forecasts.ts";
import { loggedForecastOf, type MadeForecast } from "./logged-forecast.ts";

/**
 * Keeps a share of the answers to requests, so that the truth can score them.
 *
 * - K1 No request waits: an answer is put into a bounded queue, or left out and counted.
 * - K2 Parts of the log are never changed: what is gathered is written as an object of its own.
 */
export interface PredictionLog {
  /** The forecast path, with an eye on what it answers; the path itself where nothing is kept. */
  watch(path: ForecastPath, cachedFrame: (identifier: string | null) => Rows | null): ForecastPath;
  /** Writes what is left. */
  stop(): Promise<void>;
}

export interface PredictionLogDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly bucket: string;
  readonly replica: string;
  readonly kept: KeptForecasts;
  /** The share of answers that is kept, 0 to 1. */
  readonly rate: number;
  readonly onLogged: (predictions: number) => void;
  readonly onDropped: (predictions: number) => void;
}

/** An answer that waits, with the day and time at which it was given. */
interface Waiting extends MadeForecast {
  readonly givenAt: number;
}

/** Some megabytes: what a busy second leaves. */
const MAX_WAITING = 4_096;
const FLUSH_MS = 2_000;

export function createPredictionLog(deps: PredictionLogDeps): PredictionLog {
  const { store, clock, random, log, bucket, replica, kept, rate } = deps;
  let waiting: Waiting[] = [];

  function offer(made: MadeForecast): void {
    if (waiting.length >= MAX_WAITING) return deps.onDropped(1); // K1
    waiting.push({ ...made, givenAt: clock.now() });
  }

  async function flush(): Promise<void> {
    const taken = waiting;
    waiting = [];
    const stations = Map.groupBy(taken, ({ champion }) => stationOf(champion.promotion.identifier));
    for (const [station, answers] of stations) {
      try {
        await write(station, answers);
        deps.onLogged(answers.length);
      } catch (error) {
        log.error("prediction_log_fail", error, { identifier: station, lines: answers.length });
        deps.onDropped(answers.length);
      }
    }
  }

  async function write(station: string, answers: readonly Waiting[]): Promise<void> {
    const lines = answers.map((answer) =>
      loggedForecastOf(answer, { timestamp: new Date(answer.givenAt).toISOString(), replica }),
    );
    const name = `predict-${random.hex(16)}`;
    const key = keys.inferenceLogPart(station, dayOf(clock.now()), name);
    await store.put({ bucket, key }, linesOf(lines), { contentType: "application/x-ndjson" }); // K2
    await kept.keep(station, name, lines);
  }

  const onError = (error: unknown): void => log.error("prediction_log_fail", error);
  const flushing = repeat({ clock, everyMs: FLUSH_MS, onError }, flush);
  return {
    watch: (path, cachedFrame) => {
      if (rate === 0) return path;
      return async (source, options) => {
        if (options.mode !== "forecast" || random.next() >= rate) return path(source, options);
        const seen: { rows: Rows | null } = { rows: null };
        const see = source === null ? null : () => (seen.rows = source());
        const answer = await path(see, options);
        const { champion, forecast, reqId } = answer;
        const history = (seen.rows ?? cachedFrame(options.identifier))?.table;
        if (history !== undefined) offer({ champion, history, forecast, reqId });
        return answer;
      };
    },
    async stop() {
      await flushing.stop();
      await flush();
    },
  };
}
