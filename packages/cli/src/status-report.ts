import { readDocument } from "@flts/common/claim-check/documents";
import { type Candidate, candidate as candidateSchema } from "@flts/common/contracts/candidate";
import { hasCode } from "@flts/common/contracts/errors";
import { modelTraining, topics, trainingData } from "@flts/common/contracts/events";
import { stationOf } from "@flts/common/contracts/identity";
import { buckets, keys } from "@flts/common/contracts/layout";
import { type Promotion, promotion as promotionSchema } from "@flts/common/contracts/promotion";
import type { MessageLog } from "@flts/common/ports/message-log";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { deadLetterTopic } from "@flts/common/stage/dead-letter";
import { PREPROCESS_DEAD_LETTERS } from "@flts/common/stage/topics";
import { listDecisions } from "./pipeline/outcome.ts";
import { trainerOf } from "./pipeline/process-specs.ts";

/** The state of a pipeline as store and log tell it; whether anything runs does not matter. */
export interface StatusReport {
  /** Stations with a champion. */
  readonly stations: readonly {
    readonly identifier: string;
    readonly family: string;
    readonly runId: string;
    readonly epoch: number;
    readonly verdict: string;
    readonly since: string;
  }[];
  readonly rounds: readonly RoundReport[];
  /** By group and topic; `lag` counts messages published and not yet done. */
  readonly groups: readonly { readonly group: string; readonly topic: string; readonly lag: number }[];
  /** Dead letters by topic; topics without any are left out. */
  readonly deadLetters: readonly { readonly topic: string; readonly count: number }[];
  /** What is still to be done, one sentence each. */
  readonly pending: readonly string[];
}

export interface RoundReport {
  readonly round: string;
  readonly identifier: string;
  readonly configHash: string;
  readonly candidates: readonly {
    readonly family: string;
    readonly status: "SUCCESS" | "FAILED";
    readonly runId: string | null;
    readonly seconds: number;
    readonly reason: string | null;
  }[];
  /** The latest; null while eval has not decided. */
  readonly verdict: string | null;
  readonly reason: string | null;
}

/** Reads a pipeline's state. `families` names those whose trainers' groups are looked at. */
export async function reportStatus(
  { store, log }: { readonly store: ObjectStore; readonly log: MessageLog },
  families: readonly string[],
): Promise<StatusReport> {
  const rounds = await reportRounds(store);
  const groups = await reportGroups(log, families);
  return {
    stations: await reportStations(store),
    rounds,
    groups,
    deadLetters: await countDeadLetters(log),
    pending: pendingOf(rounds, groups),
  };
}

async function reportStations(store: ObjectStore): Promise<StatusReport["stations"]> {
  const heads: Promotion[] = [];
  for await (const { key } of store.list(buckets.promotion, "")) {
    if (!key.endsWith(`/${keys.rootHead}`)) continue;
    const ref = { bucket: buckets.promotion, key };
    const head = await readDocument(store, ref, promotionSchema, "POINTER_INVALID");
    if (head !== null) heads.push(head.document);
  }
  return heads.map(({ identifier, model_type, run_id, epoch, verdict, timestamp }) => ({
    identifier: stationOf(identifier),
    family: model_type,
    runId: run_id,
    epoch,
    verdict,
    since: timestamp,
  }));
}

async function reportRounds(store: ObjectStore): Promise<readonly RoundReport[]> {
  const byRound = new Map<string, Candidate[]>();
  for await (const { key } of store.list(buckets.promotion, "candidates/")) {
    const ref = { bucket: buckets.promotion, key };
    const stored = await readDocument(store, ref, candidateSchema, "POINTER_INVALID");
    if (stored === null) continue;
    const { document } = stored;
    byRound.set(document.round, [...(byRound.get(document.round) ?? []), document]);
  }
  return Promise.all(
    [...byRound].map(async ([round, candidates]) => {
      const decisions = await listDecisions(store, round);
      const latest = decisions.toSorted((a, b) => b.timestamp.localeCompare(a.timestamp))[0];
      return {
        round,
        identifier: stationOf(candidates[0]?.identifier ?? ""),
        configHash: candidates[0]?.config_hash ?? "",
        candidates: candidates.map(({ model_type, status, run_id, seconds, reason }) => ({
          family: model_type,
          status,
          runId: run_id,
          seconds,
          reason: reason ?? null,
        })),
        verdict: latest?.verdict ?? null,
        reason: latest?.reason ?? null,
      };
    }),
  );
}

/** The groups of the services with the topics they consume, by their default names. */
const groupsOf = (families: readonly string[]): readonly { group: string; topic: string }[] => [
  ...families.map((family) => ({ group: trainerOf(family), topic: trainingData.name })),
  { group: "eval-promoter", topic: modelTraining.name },
];

async function reportGroups(log: MessageLog, families: readonly string[]): Promise<StatusReport["groups"]> {
  const reports: { group: string; topic: string; lag: number }[] = [];
  for (const { group, topic } of groupsOf(families)) {
    const partitions = await orNone(log.lag(group, [topic]));
    // A group that has committed nothing either has all before it or never was.
    const lag = partitions.reduce((sum, { committed, end }) => sum + Number(end - (committed ?? 0n)), 0);
    if (partitions.length > 0) reports.push({ group, topic, lag });
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

function pendingOf(rounds: readonly RoundReport[], groups: StatusReport["groups"]): readonly string[] {
  return [
    ...groups
      .filter(({ lag }) => lag > 0)
      .map(({ group, topic, lag }) => `${group} has ${lag} message(s) of ${topic} before it`),
    ...rounds
      .filter(({ verdict }) => verdict === null)
      .map(
        ({ round, candidates }) => `round ${round} has ${candidates.length} candidate(s) and no decision yet`,
      ),
  ];
}
