import type { z } from "zod";
import { MESSAGE_VERSION } from "./claim.ts";
import { FltsError } from "./errors.ts";
import { DEFAULT_STATION, stationOf } from "./identity.ts";

/** A named channel and the one schema of everything that flows on it. */
export interface Topic<Event> {
  readonly name: string;
  readonly schema: z.ZodType<Event>;
  /** Events with equal keys keep their order. */
  readonly keyOf: (event: Event) => string;
}

/** An event on its way out; made by {@link emit} so that topic and event agree. */
export interface Emission {
  readonly topic: string;
  readonly key: string;
  readonly value: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export function emit<Event>(topic: Topic<Event>, event: Event): Emission {
  return { topic: topic.name, key: topic.keyOf(event), value: event };
}

/** The reference's key for the default station, `<key>/<identifier>` otherwise, so that stations spread over partitions. */
export function keyFor(key: string, identifier: string): string {
  const station = stationOf(identifier);
  return station === DEFAULT_STATION ? key : `${key}/${station}`;
}

/** Events are small documents, and parsing a hostile one of ten megabytes takes seconds. Kafka's default for a message. */
const MAX_EVENT_BYTES = 1024 * 1024;

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads one message of a topic. Unknown fields pass.
 * @throws MESSAGE_TOO_LARGE for more than a mebibyte, unread
 * @throws EVENT_INVALID for anything but a JSON object that fits the schema
 * @throws EVENT_TOO_NEW for a version this release does not know yet: a rolling upgrade is under way
 * @throws EVENT_TOO_OLD for a version it no longer knows
 */
export function parseEvent<Event>(topic: Topic<Event>, value: Uint8Array): Event {
  if (value.byteLength > MAX_EVENT_BYTES)
    throw new FltsError(
      "MESSAGE_TOO_LARGE",
      `event on ${topic.name} has ${value.byteLength} bytes, at most ${MAX_EVENT_BYTES} are read: put the bytes into the store and send a claim`,
    );
  const message = parseJson(topic.name, value);
  checkVersion(topic.name, message);
  const parsed = topic.schema.safeParse(message);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join(".") || "message"}: ${issue.message}`);
  throw new FltsError(
    "EVENT_INVALID",
    `event on ${topic.name} does not fit its schema: ${faults.join("; ")}`,
  );
}

function parseJson(topic: string, value: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(value));
  } catch (cause) {
    throw new FltsError("EVENT_INVALID", `event on ${topic} is not JSON in UTF-8`, cause);
  }
}

function checkVersion(topic: string, message: unknown): void {
  if (typeof message !== "object" || message === null || !("v" in message)) return;
  const { v } = message;
  if (typeof v !== "number" || !Number.isInteger(v) || v < 0 || v > 1_000)
    throw new FltsError("EVENT_INVALID", `event on ${topic} has the absurd version ${JSON.stringify(v)}`);
  if (v > MESSAGE_VERSION)
    throw new FltsError(
      "EVENT_TOO_NEW",
      `event on ${topic} has version ${v}, this release reads ${MESSAGE_VERSION}: upgrade this service`,
    );
  if (v < MESSAGE_VERSION)
    throw new FltsError(
      "EVENT_TOO_OLD",
      `event on ${topic} has version ${v}, this release reads ${MESSAGE_VERSION}`,
    );
}
