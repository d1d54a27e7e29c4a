import { z } from "zod";
import { readDocument, writeDocument } from "../claim-check/documents.ts";
import { MESSAGE_VERSION } from "../contracts/claim.ts";
import { sha256 } from "../contracts/identity.ts";
import { keys } from "../contracts/layout.ts";
import { acquireLease } from "../lease/lease.ts";
import type { Clock } from "../ports/clock.ts";
import type { MessageLog, OutgoingMessage } from "../ports/message-log.ts";
import type { ObjectRef, ObjectStore } from "../ports/object-store.ts";
import type { Random } from "../ports/random.ts";
import { type DeadLetter, revive } from "../stage/dead-letter.ts";
import { DEADLINE_HEADER } from "../stage/deadline.ts";
import { browsePresent, type FoundLetter, findLetters, type LetterFilter } from "./dead-letters.ts";

/** The header of a redriven message: the dead letter that it comes from. */
export const REDRIVEN_FROM = "redriven_from";

/** A redriver that dies keeps the next one waiting for so long. */
const LEASE_MS = 10_000;

export interface RedriveDeps {
  readonly log: MessageLog;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Where it is written down what has been redriven. */
  readonly bucket: string;
}

export interface Redriven {
  readonly found: FoundLetter;
  /** `before`: it had been redriven already, or another letter of the same message was. */
  readonly outcome: "published" | "before" | "impossible";
}

/**
 * Publishes the messages of dead letters again, each once, however often and by whomever this is called:
 *
 * - R1 One redriver at a time, by a lease.
 * - R2 A message that is published again says which letter it comes from. Whoever finds that header in the topic needs no record: a redriver may have died
 *   between the publish and the record.
 * - R3 A record in the store outlives the topic's retention.
 *
 * The deadline of a message goes: whoever redrives it wants it handled.
 * @throws the reason of `signal`; LOG_UNAVAILABLE, STORE_UNAVAILABLE
 */
export async function* redrive(
  deps: RedriveDeps,
  filter: LetterFilter,
  signal: AbortSignal,
): AsyncGenerator<Redriven> {
  const ref = { bucket: deps.bucket, key: keys.redriver };
  await deps.store.ensureBucket(deps.bucket);
  const waiting = { signal, isMoot: async () => false, onWait: () => undefined };
  const lease = await acquireLease({ ...deps, ref, leaseMs: LEASE_MS }, waiting); // R1
  if (lease === null) return;
  try {
    const published = createPublished(deps.log);
    const messages = new Set<string>();
    for await (const found of findLetters(deps.log, filter)) {
      signal.throwIfAborted();
      lease.signal.throwIfAborted();
      const outcome = await redriveOne(found, messages, published, deps);
      yield { found, outcome };
    }
  } finally {
    await lease.release();
  }
}

/** When a letter was redriven, as a time for people; null when it was not. */
export async function readRedrive(
  { store, bucket }: Pick<RedriveDeps, "store" | "bucket">,
  found: FoundLetter,
): Promise<string | null> {
  const stored = await readDocument(store, recordRef(bucket, found), redriveRecord, "POINTER_INVALID");
  // Another digest: the topic was made anew, and its offsets began again.
  return stored?.document.sha256 === sha256(found.message.value) ? stored.document.redriven_at : null;
}

async function redriveOne(
  found: FoundLetter,
  messages: Set<string>,
  published: Published,
  deps: RedriveDeps,
): Promise<Redriven["outcome"]> {
  const { letter, id } = found;
  if (letter === null) return "impossible";
  const origin = `${letter.topic}/${letter.partition}/${letter.offset}`;
  if ((await readRedrive(deps, found)) !== null) {
    messages.add(origin);
    return "before"; // R3
  }
  const isKnown = messages.has(origin) || (await published.from(letter.topic)).has(id); // R2
  if (!isKnown) {
    const message = revive(letter) ?? (await recall(deps.log, letter));
    if (message === null) return "impossible";
    const { [DEADLINE_HEADER]: _deadline, ...headers } = message.headers ?? {};
    await deps.log.publish([{ ...message, headers: { ...headers, [REDRIVEN_FROM]: id } }]);
  }
  messages.add(origin);
  await writeDocument(deps.store, recordRef(deps.bucket, found), {
    v: MESSAGE_VERSION,
    letter: id,
    sha256: sha256(found.message.value),
    redriven_at: new Date(deps.clock.now()).toISOString(),
  });
  return isKnown ? "before" : "published";
}

const redriveRecord = z.looseObject({ letter: z.string(), sha256: z.string(), redriven_at: z.string() });

const recordRef = (bucket: string, { message }: FoundLetter): ObjectRef => ({
  bucket,
  key: keys.redrive(message.topic, message.partition, String(message.offset)),
});

/** Which letters a topic has redriven messages of; each topic is read once. */
interface Published {
  from(topic: string): Promise<ReadonlySet<string>>;
}

function createPublished(log: MessageLog): Published {
  const topics = new Map<string, ReadonlySet<string>>();
  return {
    async from(topic) {
      const known = topics.get(topic);
      if (known !== undefined) return known;
      const ids = new Set<string>();
      for await (const { headers } of browsePresent(log, topic))
        if (headers[REDRIVEN_FROM] !== undefined) ids.add(headers[REDRIVEN_FROM]);
      topics.set(topic, ids);
      return ids;
    },
  };
}

/** A message that was too large for its dead letter, from where it lies; null when it is gone, also where the topic was made anew and another lies there. */
async function recall(log: MessageLog, letter: DeadLetter): Promise<OutgoingMessage | null> {
  for await (const { partition, offset, topic, key, value, headers } of browsePresent(log, letter.topic)) {
    if (partition !== letter.partition || String(offset) !== letter.offset) continue;
    return sha256(value) === letter.omitted?.sha256 ? { topic, key, value, headers } : null;
  }
  return null;
}
