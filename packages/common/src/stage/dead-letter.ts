import { z } from "zod";
import { codeOf } from "../contracts/errors.ts";
import { sha256 } from "../contracts/identity.ts";
import type { OutgoingMessage, StoredMessage } from "../ports/message-log.ts";
import { reasonOf } from "./reason.ts";

/** Where the dead letters of a topic go. */
export const deadLetterTopic = (consumedTopic: string): string => `DLQ-${consumedTopic}`;

/** A message of ten mebibytes, a third longer in base64, and its envelope. */
export const DEAD_LETTER_MAX_BYTES = 16 * 1024 * 1024;

/** What the log adds of its own to a message: the key, and the frame of a batch. */
const FRAME_BYTES = 64 * 1024;

/** A key up to this size is the dead letter's own, too. */
const KEY_BYTES = 1024;

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
  /** The message's exact bytes; null where they do not fit. */
  value_base64: z.string().nullable(),
  headers: z.record(z.string(), z.string()),
  /** Of a message that is too large for a dead letter: what lies at its topic, partition and offset for as long as that is kept. */
  omitted: z.object({ bytes: z.number().int(), sha256: z.string() }).optional(),
});
export type DeadLetter = z.infer<typeof deadLetter>;

export interface GivenUp {
  readonly stage: string;
  readonly message: StoredMessage;
  readonly error: unknown;
  /** Why the rest of the pipeline was not told; undefined when it was, or need not be. */
  readonly untold?: unknown;
  readonly attempts: number;
  readonly now: number;
}

/**
 * The dead letter of a message: complete, so that replaying it is publishing it again (I6). It always fits its topic: of a message that is too large to be
 * carried it says where that lies.
 */
export function deadLetterOf({ stage, message, error, untold, attempts, now }: GivenUp): OutgoingMessage {
  const outline = {
    operation: stage,
    status: "Failure",
    error: reasonOf(error) + (untold === undefined ? "" : ` (nobody could be told: ${reasonOf(untold)})`),
    timestamp: now / 1000,
    code: codeOf(error),
    attempts,
    topic: message.topic,
    partition: message.partition,
    offset: String(message.offset),
  } as const;
  const { key, value } = message;
  const isShort = key === null || Buffer.byteLength(key) <= KEY_BYTES;
  return {
    topic: deadLetterTopic(message.topic),
    key: isShort ? key : null,
    value: completed(outline, message) ?? encode({ ...outline, ...reduced(value, isShort ? key : null) }),
  };
}

type Outline = Pick<
  DeadLetter,
  "operation" | "status" | "error" | "timestamp" | "code" | "attempts" | "topic" | "partition" | "offset"
>;

/** The whole letter as bytes; null when it does not fit. */
function completed(outline: Outline, { key, value, headers }: StoredMessage): Uint8Array | null {
  const most = DEAD_LETTER_MAX_BYTES - FRAME_BYTES;
  if ((value.byteLength / 3) * 4 > most) return null;
  const letter = encode({
    ...outline,
    payload: readable(value),
    key,
    value_base64: Buffer.from(value).toString("base64"),
    headers: { ...headers },
  });
  return letter.byteLength > most ? null : letter;
}

const reduced = (value: Uint8Array, key: string | null) => ({
  payload: null,
  key,
  value_base64: null,
  headers: {},
  omitted: { bytes: value.byteLength, sha256: sha256(value) },
});

const encode = (letter: DeadLetter): Uint8Array => Buffer.from(JSON.stringify(letter));

/** The message that a dead letter stands for, as it was first published; null when the letter could not carry it. */
export function revive(letter: DeadLetter): OutgoingMessage | null {
  if (letter.value_base64 === null) return null;
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
