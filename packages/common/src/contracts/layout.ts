import { FltsError } from "./errors.ts";
import { DEFAULT_STATION, stationOf } from "./identity.ts";

/** Where everything lies in the object store: the reference's buckets, and keys whose last part is the reference's name. */
export const buckets = {
  dataset: "dataset",
  processed: "processed-data",
  mlflow: "mlflow",
  promotion: "model-promotion",
  inferenceLogs: "inference-logs",
} as const;

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

const isName = (name: string): boolean => namePattern.test(name) && !name.includes("..");

/** A name that may become part of a key, a path or a consumer group. @throws OBJECT_NAME_INVALID */
export function checkName(what: string, name: string): string {
  if (!isName(name))
    throw new FltsError(
      "OBJECT_NAME_INVALID",
      `${what} ${JSON.stringify(name.slice(0, 120))} is not a name: use up to 100 letters, digits, ".", "_" and "-", beginning with a letter or digit`,
    );
  return name;
}

/** The default station's folder in the promotion bucket, as the reference calls it. */
const DEFAULT_FOLDER = "global";

/**
 * Names in the place of stations' folders that have another meaning: no key may be the folder of another one, and no
 * station's objects may turn up in a listing of something else.
 */
const isTaken = (name: string): boolean =>
  [DEFAULT_FOLDER, "candidates", "decisions"].includes(name) ||
  name.endsWith(".json") ||
  /^[0-9a-f]{64}$/.test(name);

/** Whether an identifier names a station whose folders nobody else has. */
export const isStation = (identifier: string): boolean =>
  identifier === "" || (isName(identifier) && !isTaken(identifier));

/** @throws OBJECT_NAME_INVALID */
function checkStation(station: string): string {
  if (isTaken(station))
    throw new FltsError(
      "OBJECT_NAME_INVALID",
      `identifier ${JSON.stringify(station)} is taken: objects that belong to no station or to the one without a name lie there`,
    );
  return checkName("identifier", station);
}

/** The folder of a station in buckets that the reference shares: none for the default station, whose objects keep their old places. */
const stationFolder = (identifier: string): string => {
  const station = stationOf(identifier);
  return station === DEFAULT_STATION ? "" : `${checkStation(station)}/`;
};

/** The folder of a station in the promotion bucket. */
export const promotionFolder = (identifier: string): string => {
  const station = stationOf(identifier);
  return station === DEFAULT_STATION ? DEFAULT_FOLDER : checkStation(station);
};

export const keys = {
  /** An immutable table: the digest of its bytes is part of the key. */
  processedTable: (identifier: string, digest: string, name: string): string =>
    `${stationFolder(identifier)}${digest}/${name}.parquet`,
  /** The mutable head that says which table is the present one. */
  processedHead: (identifier: string, name: string): string =>
    `${stationFolder(identifier)}${name}.meta.json`,

  /** A day's forecasts of a station (behaviour §7.6), as replicas write them: each its own parts, none ever changed. `day` is `YYYYMMDD`, UTC. */
  inferenceLogPart: (identifier: string, day: string, part: string): string =>
    `${keys.inferenceLogDay(identifier, day)}parts/${checkName("part", part)}.jsonl`,
  /** The same day's lines in one object, at the reference's place, once the day is over. */
  inferenceLog: (identifier: string, day: string): string =>
    `${keys.inferenceLogDay(identifier, day)}results.jsonl`,
  inferenceLogDay: (identifier: string, day: string): string =>
    `${checkStation(stationOf(identifier))}/${checkName("day", day)}/`,

  /** The one forecast of a table by a run, and whether it was told of. No station's name begins with an underscore. */
  batchForecast: (identifier: string, runId: string, hash: string): string =>
    `${keys.batchForecasts}${checkStation(stationOf(identifier))}/${checkName("run", runId)}-${hash}.json`,
  batchForecasts: "_batches/",
  /** Forecasts that are kept until the truth comes: of times up to `until`, which is `YYYYMMDDTHHMMSS`. */
  keptForecasts: (identifier: string, until: string, name: string): string =>
    `${keys.keptForecastsOf(identifier)}${checkName("time", until)}-${checkName("name", name)}.jsonl`,
  keptForecastsOf: (identifier: string): string =>
    `${keys.allKeptForecasts}${checkStation(stationOf(identifier))}/`,
  allKeptForecasts: "_forecasts/",
  /** How wrong a station's forecasts have been of late. */
  liveError: (identifier: string): string => `${keys.liveErrors}${checkStation(stationOf(identifier))}.json`,
  liveErrors: "_live/",

  candidate: (round: string, family: string, workKey: string): string =>
    `${keys.candidatesOf(round)}${family}/${workKey}.json`,
  candidatesOf: (round: string): string => `${keys.candidates}${round}/`,
  candidates: "candidates/",
  /** What eval decided about one set of candidates, attempt by attempt: written before it acts. */
  decision: (round: string, decisionId: string, attempt: number): string =>
    `${keys.decisionsOf(round, decisionId)}${String(attempt).padStart(4, "0")}.json`,
  decisionsOf: (round: string, decisionId: string): string => `${keys.decisionsAbout(round)}${decisionId}/`,
  decisionsAbout: (round: string): string => `decisions/${round}/`,
  /** One create-only object per epoch: the history is linear because its keys are. */
  history: (identifier: string, epoch: number): string =>
    `${promotionFolder(identifier)}/history/promotion-${String(epoch).padStart(8, "0")}.json`,
  historyOf: (identifier: string): string => `${promotionFolder(identifier)}/history/`,
  /** The head: the only authority on what is served. */
  head: (identifier: string): string => `${promotionFolder(identifier)}/current.json`,
  /** Who is at work on a training; only avoids doing it twice. No station's name begins with an underscore. */
  lease: (workKey: string): string => `${keys.leases}${workKey}.json`,
  leases: "_leases/",
  /** That a dead letter was redriven. */
  redrive: (topic: string, partition: number, offset: string): string =>
    `${keys.redrives}${topic}/${partition}-${offset}.json`,
  redrives: "_redrives/",
  /** Written to be listed: its time is the store's. */
  storeTime: "_gc/time",
  /** What a service writes at its start to learn what the store can do, and removes again. */
  probe: (name: string): string => `${keys.probes}${checkName("probe", name)}`,
  probes: "_probes/",
  /** The lease of whoever redrives. */
  redriver: "_leases/redrive.json",
  /** What became of a pointer that was laid by hand, by the digest of its place and bytes. */
  pointer: (identifier: string, digest: string): string =>
    `${promotionFolder(identifier)}/pointers/${digest}.json`,
  /** A round that waits for models; gone when it is decided. */
  waiting: (round: string): string => `${keys.waitingRounds}${round}.json`,
  waitingRounds: "_waiting/",
  /** A decision that the run tracker was not told of yet. */
  untold: (decisionId: string, attempt: number): string =>
    `${keys.untoldDecisions}${decisionId}-${String(attempt).padStart(4, "0")}.json`,
  untoldDecisions: "_untold/",
  /** A station that eval has heard of. */
  station: (identifier: string): string => `${keys.stations}${checkStation(stationOf(identifier))}`,
  stations: "_stations/",
  /** A copy of the default station's head, where the reference's readers look. */
  rootHead: "current.json",
} as const;
