import { topics } from "../contracts/events.ts";
import { keys } from "../contracts/layout.ts";
import type { MessageLog } from "../ports/message-log.ts";
import type { ListedObject, ObjectRef, ObjectStore } from "../ports/object-store.ts";
import { revive } from "../stage/dead-letter.ts";
import { browsePresent, findLetters } from "./dead-letters.ts";

/** Where the marking looks. */
export interface Referrers {
  readonly log: MessageLog;
  readonly store: ObjectStore;
  readonly processedBucket: string;
  readonly promotionBucket: string;
}

export interface LiveRules {
  /** So many promotions of each station keep what they refer to. */
  readonly keepEpochs: number;
  /** Whatever was written later keeps what it refers to; by the store's clock, milliseconds since 1970 UTC. */
  readonly youngSinceMs: number;
}

/**
 * Every run id and digest (of a round, of a table) that something living mentions: heads, the last promotions of each station, the present tables, whatever
 * was written lately, every message that is still in the log, dead letters included, and all that the rounds found so far hold. It does not interpret what
 * it reads: any 32 or 64 hexadecimal digits are a reference. A document of another version, of the reference system or of a person keeps what it names all the same.
 * @throws the reason of `signal`; STORE_UNAVAILABLE, LOG_UNAVAILABLE
 */
export async function findReferences(
  { log, store, processedBucket, promotionBucket }: Referrers,
  rules: LiveRules,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const living = new Set<string>();
  const note = (text: string): void => {
    for (const [id] of text.matchAll(ID)) living.add(id);
  };
  const noteObject = async (ref: ObjectRef): Promise<void> => {
    signal.throwIfAborted();
    const stored = await store.get(ref);
    if (stored !== null) note(decoder.decode(stored.bytes));
  };

  for await (const { key } of store.list(processedBucket, ""))
    if (key.endsWith(".meta.json")) await noteObject({ bucket: processedBucket, key });

  const rounds: ListedObject[] = [];
  const histories = new Map<string, ListedObject[]>();
  for await (const object of store.list(promotionBucket, "")) {
    const { key, modifiedAt } = object;
    if (isOfRound(key)) {
      rounds.push(object);
      if (modifiedAt >= rules.youngSinceMs) note(key);
    } else if (isNote(key)) continue;
    else if (HISTORY.test(key)) {
      const folder = key.slice(0, key.lastIndexOf("/"));
      const entries = histories.get(folder) ?? [];
      entries.push(object);
      histories.set(folder, entries);
    } else {
      // Heads, pointers laid by hand, rounds that wait for models.
      note(key);
      await noteObject({ bucket: promotionBucket, key });
    }
  }
  for (const entries of histories.values())
    for (const [index, { key, modifiedAt }] of entries.entries())
      if (index >= entries.length - rules.keepEpochs || modifiedAt >= rules.youngSinceMs)
        await noteObject({ bucket: promotionBucket, key });

  for (const { name } of topics)
    for await (const { value } of browsePresent(log, name)) {
      signal.throwIfAborted();
      note(decoder.decode(value));
    }
  for await (const { message, letter } of findLetters(log, {})) {
    signal.throwIfAborted();
    note(decoder.decode(message.value));
    if (letter !== null) note(decoder.decode(revive(letter)?.value));
  }

  for (const { key } of rounds)
    if (living.has(roundIn(key))) await noteObject({ bucket: promotionBucket, key });
  return living;
}

const ID = /(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{32})(?![0-9a-f])/g;
const HISTORY = /^[^/]+\/history\//;
const decoder = new TextDecoder();

/** Leases, notes of redrives, probes: they name what they are about, and keep nothing. */
export const isNote = (key: string): boolean =>
  [keys.leases, keys.redrives, keys.probes].some((folder) => key.startsWith(folder));

/** Candidates and decisions, which live and die with their round. */
const ROUND_OBJECT = /^(?:candidates|decisions)\/([0-9a-f]{64})\//;

export const isOfRound = (key: string): boolean => ROUND_OBJECT.test(key);

/** The round that a candidate or decision belongs to, by its key. */
export const roundIn = (key: string): string => ROUND_OBJECT.exec(key)?.[1] ?? "";
