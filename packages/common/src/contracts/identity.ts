import { createHash } from "node:crypto";

/**
 * Three digests name everything in FLTS, and none of them contains a clock: the digest of an object's bytes, the round (which data, which
 * preprocessing) and the work key (which training). Equal names mean equal work, on any machine, before and after any crash.
 */

/** SHA-256 as 64 lower-case hexadecimal digits; text is hashed as UTF-8. */
export function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

/**
 * JSON with sorted keys and no blanks: equal values give equal text, different ones different text. Undefined members are left out.
 * @throws TypeError for what JSON would silently turn into something else: NaN, infinities, undefined, functions, dates, maps, typed arrays
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "string" || Number.isFinite(value))
    return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isRecord(value)) throw new TypeError(`canonical JSON has no ${Object.prototype.toString.call(value)}`);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** What a round is made of: a station, its preprocessing, and the very bytes of its two files. */
export interface RoundParts {
  readonly identifier: string;
  readonly configHash: string;
  readonly trainDigest: string;
  readonly testDigest: string;
}

/** The name of a round. `configHash` alone covers neither the station nor the files' contents. */
export function roundOf({ identifier, configHash, trainDigest, testDigest }: RoundParts): string {
  return sha256(canonicalJson(["round/1", stationOf(identifier), configHash, trainDigest, testDigest]));
}

export interface WorkParts {
  readonly round: string;
  readonly family: string;
  /** Every setting that changes the result. */
  readonly settings: unknown;
  /** Changed by hand to train the same thing once more; "" otherwise. */
  readonly nonce: string;
}

/** The name of one training. A retraining with other settings has another. */
export function workKeyOf({ round, family, settings, nonce }: WorkParts): string {
  return sha256(canonicalJson(["work/1", round, family, settings, nonce]));
}

export const DEFAULT_STATION = "default";

/** The station an identifier names; the reference leaves it empty for its only one. */
export const stationOf = (identifier: string): string => (identifier === "" ? DEFAULT_STATION : identifier);
