import { readDocument } from "@flts/common/claim-check/documents";
import { hasCode } from "@flts/common/contracts/errors";
import { modelTraining, topics, trainingData } from "@flts/common/contracts/events";
import { stationOf } from "@flts/common/contracts/identity";
import { buckets } from "@flts/common/contracts/layout";
import { type Promotion, promotion as promotionSchema } from "@flts/common/contracts/promotion";
import type { MessageLog } from "@flts/common/ports/message-log";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { deadLetterTopic } from "@flts/common/stage/dead-letter";
import { PREPROCESS_DEAD_LETTERS } from "@flts/common/stage/topics";
import { createHistory } from "@flts/eval/promotion/history";
import { lackOf, lastWholeBefore } from "@flts/eval/sweep/champion-check";
import { z } from "zod";
import { isHead } from "./pipeline/outcome.ts";
import { trainerOf } from "./pipeline/process-specs.ts";
import { readDocuments } from "./read-documents.ts";
import { type RoundReport, reportRounds } from "./status-rounds.ts";

/** The state of a pipeline as store and log tell it; whether anything runs does not matter. */
export interface StatusReport {
  readonly stations: readonly StationReport[];
  readonly rounds: readonly RoundReport[];
  /** Groups that have done anything yet, by topic; `lag` counts messages published and not yet done. */
  readonly groups: readonly { readonly group: string; readonly topic: string; readonly lag: number }[];
  /** Dead letters by topic; topics without any are left out. */
  readonly deadLetters: readonly { readonly topic: string; readonly count: number }[];
  /** What is still to be done, one sentence each. */
  readonly pending: readonly string[];
}

/** A station with a table or a champion. */
export interface StationReport {
  readonly identifier: string;
  /** The present training table; null before the first preprocessing. */
  readonly table: { readonly round: string; readonly source: string; readonly rows: number } | null;
  readonly champion: {
    readonly family: string;
    readonly runId: string;
    readonly epoch: number;
    readonly verdict: string;
    readonly since: string;
    /** Why its run or files cannot be had; null when they are whole. */
    readonly lack: string | null;
    /** The epoch that a replica which starts now serves in its place; null when it is whole, or when there is none. */
    readonly standIn: number | null;
  } | null;
}

/** Reads a pipeline's state. `families` names those whose trainers' groups are looked at. */
export async function reportStatus(
  {
    store,
    log,
    tracker,
  }: { readonly store: ObjectStore; readonly log: MessageLog; readonly tracker: RunTracker },
  families: readonly string[],
): Promise<StatusReport> {
  const { stations, laid } = await reportStations(store, tracker);
  const rounds = await reportRounds(store);
  const groups = await reportGroups(log, families);
  return {
    stations,
    rounds,
    groups,
    deadLetters: await countDeadLetters(log),
    pending: [...championsGone(stations), ...laid, ...pendingOf(stations, rounds, groups)],
  };
}

async function reportStations(
  store: ObjectStore,
  tracker: RunTracker,
): Promise<{ readonly stations: readonly StationReport[]; readonly laid: readonly string[] }> {
  const stations = new Map<string, StationReport>();
  const blank = { table: null, champion: null };
  const note = (identifier: string, known: Partial<StationReport>): void => {
    const station = stationOf(identifier);
    stations.set(station, { identifier: station, ...blank, ...stations.get(station), ...known });
  };
  const tables = await readDocuments(store, { bucket: buckets.processed, prefix: "" }, tableHead, (key) =>
    TRAIN_HEAD.test(key),
  );
  for (const { identifier, round, train_source_object: source, row_count: rows } of tables)
    note(identifier, { table: { round, source, rows } });
  const history = createHistory(store, buckets.promotion);
  const laid: string[] = [];
  for await (const { key } of store.list(buckets.promotion, "")) {
    if (!isHead(key)) continue;
    const champion = await readHead(store, key);
    if (champion === null) {
      laid.push(`${key} was laid by hand: eval adopts it, or refuses it and says why in its log`);
      continue;
    }
    const { identifier, model_type: family, run_id: runId, epoch, verdict, timestamp: since } = champion;
    const lack = (await lackOf(champion, tracker))?.message ?? null;
    const standIn =
      lack === null ? null : ((await lastWholeBefore(champion, history, tracker))?.epoch ?? null);
    note(identifier, { champion: { family, runId, epoch, verdict, since, lack, standIn } });
  }
  return {
    stations: [...stations.values()].toSorted((a, b) => a.identifier.localeCompare(b.identifier)),
    laid,
  };
}

/** The promotion that a head holds; null when a person wrote something else there. */
async function readHead(store: ObjectStore, key: string): Promise<Promotion | null> {
  try {
    const ref = { bucket: buckets.promotion, key };
    return (await readDocument(store, ref, promotionSchema, "POINTER_INVALID"))?.document ?? null;
  } catch (error) {
    if (hasCode(error, "POINTER_INVALID")) return null;
    throw error;
  }
}

const championsGone = (stations: readonly StationReport[]): readonly string[] =>
  stations.flatMap(({ identifier, champion }) =>
    champion === null || champion.lack === null
      ? []
      : [
          `the champion of station ${identifier} is gone (${champion.lack}): replicas that have it serve on, one that starts now ${champion.standIn === null ? "has nothing to serve" : `serves epoch ${champion.standIn}`}; promote another run, or roll back`,
        ],
  );

/** `processed_data.meta.json`, below a station's folder or not; the test table's head tells nothing more. */
const TRAIN_HEAD = /(^|\/)processed_data\.meta\.json$/;

/** Of the head of a processed table, what is reported. */
const tableHead = z.looseObject({
  identifier: z.string(),
  round: z.string(),
  train_source_object: z.string(),
  row_count: z.number(),
});

/** The groups of the services with the topics they may consume, by their default names: a trainer hears claims, or of the models it combines. */
const groupsOf = (families: readonly string[]): readonly { group: string; topic: string }[] => [
  ...families.flatMap((family) =>
    [trainingData, modelTraining].map(({ name }) => ({ group: trainerOf(family), topic: name })),
  ),
  { group: "eval-promoter", topic: modelTraining.name },
];

async function reportGroups(log: MessageLog, families: readonly string[]): Promise<StatusReport["groups"]> {
  const reports: { group: string; topic: string; lag: number }[] = [];
  for (const { group, topic } of groupsOf(families)) {
    const partitions = await orNone(log.lag(group, [topic]));
    const lag = partitions.reduce((sum, { committed, end }) => sum + Number(end - (committed ?? 0n)), 0);
    // A family that nobody trains here has a group by name alone; a topic that a group does not consume has no offsets of it.
    if (partitions.some(({ committed }) => committed !== null)) reports.push({ group, topic, lag });
  }
  return reports;
}

async function countDeadLetters(log: MessageLog): Promise<StatusReport["deadLetters"]> {
  const names = [...topics.map(({ name }) => deadLetterTopic(name)), PREPROCESS_DEAD_LETTERS];
  const counts: { topic: string; count: number }[] = [];
  for (const topic of new Set(names)) {
    const letters = await orNone(countMessages(log, topic));
    if (letters.length > 0) counts.push({ topic, count: letters.length });
  }
  return counts;
}

async function countMessages(log: MessageLog, topic: string): Promise<readonly bigint[]> {
  const offsets: bigint[] = [];
  for await (const { offset } of log.browse(topic)) offsets.push(offset);
  return offsets;
}

/** A topic that was never made has nothing on it. */
async function orNone<Item>(read: Promise<readonly Item[]>): Promise<readonly Item[]> {
  try {
    return await read;
  } catch (error) {
    if (hasCode(error, "TOPIC_MISSING")) return [];
    throw error;
  }
}

function pendingOf(
  stations: readonly StationReport[],
  rounds: readonly RoundReport[],
  groups: StatusReport["groups"],
): readonly string[] {
  const decided = new Set(rounds.filter(({ verdict }) => verdict !== null).map(({ round }) => round));
  const present = stations.flatMap(({ identifier, table }) =>
    table === null ? [] : [{ identifier, round: table.round }],
  );
  const undecided = new Map([...rounds, ...present].map(({ identifier, round }) => [round, identifier]));
  const waits = new Map(rounds.map(({ round, waiting }) => [round, waiting]));
  return [
    ...groups
      .filter(({ lag }) => lag > 0)
      .map(({ group, topic, lag }) => `${group} has ${lag} message(s) of ${topic} before it`),
    ...[...undecided]
      .filter(([round]) => !decided.has(round))
      .map(
        ([round, identifier]) =>
          `round ${round} of station ${identifier} ${waitText(waits.get(round)) ?? "is not decided yet"}`,
      ),
  ];
}

function waitText(waiting: RoundReport["waiting"] | undefined): string | null {
  if (!waiting) return null;
  const { missing, failed, since } = waiting;
  const lacking = [...missing, ...failed.map((family) => `${family} (failed so far)`)];
  return lacking.length === 0 ? null : `waits for ${lacking.join(", ")} since ${since}`;
}
