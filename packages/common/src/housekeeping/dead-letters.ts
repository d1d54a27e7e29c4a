import { z } from "zod";
import { hasCode } from "../contracts/errors.ts";
import { topics } from "../contracts/events.ts";
import type { MessageLog, StoredMessage } from "../ports/message-log.ts";
import { type DeadLetter, deadLetter, deadLetterTopic } from "../stage/dead-letter.ts";
import { PREPROCESS_DEAD_LETTERS } from "../stage/topics.ts";

/** A dead letter as it lies in its topic. */
export interface FoundLetter {
  /** `<dead letter topic>/<partition>/<offset>`: what an operator names it by. */
  readonly id: string;
  readonly message: StoredMessage;
  readonly code: string;
  readonly error: string;
  /** Null for what stands for no message: a failed job, or something else than a dead letter. */
  readonly letter: DeadLetter | null;
}

/** Which dead letters; what is left out does not matter. */
export interface LetterFilter {
  readonly id?: string;
  /** The consumed topic, or its dead letters' own. */
  readonly topic?: string;
  readonly code?: string;
  /** When it was given up, milliseconds since 1970 UTC; the end is excluded. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
}

/** Every topic that dead letters lie in. */
export const deadLetterTopics: readonly string[] = [
  ...topics.map(({ name }) => deadLetterTopic(name)),
  PREPROCESS_DEAD_LETTERS,
];

/** The dead letters that a filter lets pass, topic by topic, oldest first. One at a time is held in memory. */
export async function* findLetters(log: MessageLog, filter: LetterFilter): AsyncGenerator<FoundLetter> {
  for (const topic of deadLetterTopics) {
    if (filter.topic !== undefined && ![topic, topic.replace(/^DLQ-/, "")].includes(filter.topic)) continue;
    if (filter.id !== undefined && !filter.id.startsWith(`${topic}/`)) continue;
    for await (const message of browsePresent(log, topic)) {
      const found = read(message);
      if (passes(found, filter)) yield found;
    }
  }
}

/** The messages of a topic; none where it was never made. */
export async function* browsePresent(log: MessageLog, topic: string): AsyncGenerator<StoredMessage> {
  try {
    yield* log.browse(topic);
  } catch (error) {
    if (!hasCode(error, "TOPIC_MISSING")) throw error;
  }
}

function passes({ id, code, message }: FoundLetter, filter: LetterFilter): boolean {
  const { sinceMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY } = filter;
  return (
    (filter.id ?? id) === id &&
    (filter.code ?? code) === code &&
    message.publishedAt >= sinceMs &&
    message.publishedAt < untilMs
  );
}

/** What letters of all kinds have in common, the reference's too. */
const anyLetter = z.looseObject({ code: z.string().default("UNCLASSIFIED"), error: z.string() });

function read(message: StoredMessage): FoundLetter {
  const id = `${message.topic}/${message.partition}/${message.offset}`;
  const value = parseJson(message.value);
  const letter = deadLetter.safeParse(value);
  const summary = anyLetter.safeParse(value);
  return {
    id,
    message,
    code: summary.data?.code ?? "UNCLASSIFIED",
    error: summary.data?.error ?? "this is no dead letter",
    letter: letter.data ?? null,
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
