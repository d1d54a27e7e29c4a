import type { LogPosition } from "@flts/common/ports/message-log";
import { InvalidArgumentError } from "commander";

/** What options take, read from their texts; each refuses what it is not with what it must be. */

export function parseNames(text: string): readonly string[] {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0) throw new InvalidArgumentError("Give at least one name.");
  return [...new Set(names)];
}

/** A whole number from `min` to `max`; from `min` on without one. */
export const parseWhole =
  (min: number, max = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `${min} on` : `${min} to ${max}`;
    throw new InvalidArgumentError(`It must be a whole number from ${range}.`);
  };

export function parseUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new InvalidArgumentError("It must be a URL such as http://localhost:8023.");
  return text;
}

/** ISO 8601, as milliseconds since 1970 UTC. */
export function parseTime(text: string): number {
  const timeMs = timeIn(text);
  if (timeMs === null) throw new InvalidArgumentError("It must be a time such as 2026-11-23T07:00:00Z.");
  return timeMs;
}

export function parsePosition(text: string): LogPosition {
  if (text === "earliest" || text === "latest") return text;
  if (/^\d{1,18}$/.test(text)) return { offset: BigInt(text) };
  const timeMs = timeIn(text);
  if (timeMs === null)
    throw new InvalidArgumentError(
      "It must be earliest, latest, an offset, or a time such as 2026-11-23T07:00:00Z.",
    );
  return { timeMs };
}

function timeIn(text: string): number | null {
  const timeMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(timeMs) ? null : timeMs;
}
