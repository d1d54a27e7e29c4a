import { type LoggedForecast, loggedForecast } from "@flts/common/contracts/inference-log";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";

/** Forecasts of a station that wait for the truth: objects of lines, named by the last time that they forecast. */
export interface KeptForecasts {
  /** Keeps the forecasts of one station under a name that nobody else uses; under the same name again it changes nothing. */
  keep(identifier: string, name: string, forecasts: readonly LoggedForecast[]): Promise<void>;
  /** All that may still meet a row later than `after`; null: all. */
  read(identifier: string, after: string | null): Promise<LoggedForecast[]>;
  /** Removes those that no later row can meet. */
  forget(identifier: string, until: string): Promise<void>;
}

export function createKeptForecasts(store: ObjectStore, bucket: string): KeptForecasts {
  async function* objectsOf(identifier: string): AsyncGenerator<{ key: string; until: string }> {
    const folder = keys.keptForecastsOf(identifier);
    for await (const { key } of store.list(bucket, folder))
      yield { key, until: key.slice(folder.length, folder.length + COMPACT_LENGTH) };
  }

  return {
    async keep(identifier, name, forecasts) {
      const times = forecasts.flatMap(({ steps }) => steps.at(-1)?.ts ?? []).toSorted();
      const until = times.at(-1);
      if (until === undefined) return;
      await store.put(
        { bucket, key: keys.keptForecasts(identifier, compact(until), name) },
        linesOf(forecasts),
      );
    },
    async read(identifier, after) {
      const forecasts: LoggedForecast[] = [];
      for await (const { key, until } of objectsOf(identifier)) {
        if (after !== null && until <= compact(after)) continue;
        const stored = await store.get({ bucket, key });
        if (stored !== null) forecasts.push(...readLines(stored.bytes));
      }
      return forecasts;
    },
    async forget(identifier, until) {
      for await (const found of objectsOf(identifier)) {
        if (found.until > compact(until)) break;
        await store.remove({ bucket, key: found.key });
      }
    },
  };
}

/** Lines of JSON, as logs have them. */
export const linesOf = (lines: readonly object[]): Uint8Array =>
  Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

/** `YYYYMMDDTHHMMSS` of `YYYY-MM-DDTHH:MM:SS`: what a key may hold, in the same order. */
const compact = (ts: string): string => ts.replaceAll(/[-:]/g, "");
const COMPACT_LENGTH = 15;

/** What is no forecast is left out: it costs a row its score, and must not cost a claim its forecast. */
function readLines(bytes: Uint8Array): LoggedForecast[] {
  return new TextDecoder()
    .decode(bytes)
    .split("\n")
    .flatMap((line) => loggedForecast.safeParse(parseJson(line)).data ?? []);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
