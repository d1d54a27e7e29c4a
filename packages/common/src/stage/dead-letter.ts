import { z } from "zod";
import { codeOf } from "../contracts/errors.ts";
import type { OutgoingMessage, StoredMessage } from "../ports/message-log.ts";

/** Where the dead letters of a topic go. */
export const deadLetterTopic = (consumedTopic: string): string => `DLQ-${consumedTopic}`;

/** A base64 value is a third longer than its bytes; the envelope needs a little more. */
export const DEAD_LETTER_MAX_BYTES = 4 * 1024 * 1024;

/** Messages up to this size are also shown readable in `payload`. */
const READABLE_BYTES = 64 * 1024;

/** The reference's envelope (`operation, status, error, payload, timestamp`) and what it takes to publish the message again. */
export const deadLetter = z.looseObject({
  operation: z.string(),
  status: z.literal("Failure"),
  error: z.string(),
  /** The message for people: JSON where it was JSON, text where it was text, null where it is neither or too large. */
  payload: z.unknown(),
  /** Seconds since 1970 UTC, as in the reference. */
  timestamp: z.number(),
  code: z.string(),
  attempts: z.number().int().positive(),
  topic: z.string(),
  partition: z.number().int().nonnegative(),
  offset: z.string(),
  key: z.string().nullable(),
  /** The message's exact bytes. */
  value_base64: z.string(),
  headers: z.record(z.string(), z.string()),
});
export type DeadLetter = z.infer<typeof deadLetter>;

export interface GivenUp {
  readonly stage: string;
  readonly message: StoredMessage;
  readonly error: unknown;
  readonly attempts: number;
  readonly now: number;
}

/** The dead letter of a message: complete, so that replaying it is publishing it again (I6). */
export function deadLetterOf({ stage, message, error, attempts, now }: GivenUp): OutgoingMessage {
  const envelope: DeadLetter = {
    operation: stage,
    status: "Failure",
    error: error instanceof Error ? error.message : String(error),
    payload: readable(message.value),
    timestamp: now / 1000,
    code: codeOf(error),
    attempts,
    topic: message.topic,
    partition: message.partition,
    offset: String(message.offset),
    key: message.key,
    value_base64: Buffer.from(message.value).toString("base64"),
    headers: { ...message.headers },
  };
  return {
    topic: deadLetterTopic(message.topic),
    key: message.key,
    value: Buffer.from(JSON.stringify(envelope)),
  };
}

/** The message that a dead letter stands for, as it was first published. */
export function revive(letter: DeadLetter): OutgoingMessage {
  return {
    topic: letter.topic,
    key: letter.key,
    value: Buffer.from(letter.value_base64, "base64"),
    headers: letter.headers,
  };
}

function readable(value: Uint8Array): unknown {
  if (value.byteLength > READABLE_BYTES) return null;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(value);
  } catch {
    return null;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
