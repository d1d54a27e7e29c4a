import { createHash, timingSafeEqual } from "node:crypto";
import type { Clock } from "@flts/common/ports/clock";
import { HttpError } from "@flts/common/service/http";

/** Keeps the routes that write: nothing gets by without the token, and guessing it is slow. */
export interface TokenGuard {
  /**
   * @param from the address that asks
   * @param authorization the request's header
   * @throws HttpError 403 while no token is set, 429 after too many wrong ones, 401 for a wrong one
   */
  admit(from: string, authorization: string | undefined): void;
}

/** Wrong tokens that one address may try in a minute. */
const TRIES = 5;
const WINDOW_MS = 60_000;
/** Addresses remembered; the oldest is forgotten first. */
const ADDRESSES = 1_000;

/** @param token the right one; empty when none is set */
export function createTokenGuard(token: string, clock: Clock): TokenGuard {
  /** When each address tried in vain, in the order of its first try. */
  const failures = new Map<string, readonly number[]>();
  const recentOf = (from: string, nowMs: number): readonly number[] =>
    (failures.get(from) ?? []).filter((atMs) => nowMs - atMs < WINDOW_MS);

  return {
    admit(from, authorization) {
      if (token === "")
        throw new HttpError(
          403,
          "Promoting over HTTP is switched off: set PROMOTION_API_TOKEN, or PROMOTION_API_TOKEN_FILE, on eval and start it again. Without it, 'flts promote' and 'flts rollback' work on the backends directly.",
        );
      const nowMs = clock.monotonicMs();
      const recent = recentOf(from, nowMs);
      // Refused before the token is looked at: a right guess must look like a wrong one.
      if (recent.length >= TRIES)
        throw new HttpError(429, "Too many wrong tokens, try again later", {
          "retry-after": String(Math.ceil((WINDOW_MS - (nowMs - recent[0]!)) / 1000)),
        });
      const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
      if (given !== undefined && isSame(given, token)) return;
      failures.delete(from);
      failures.set(from, [...recent, nowMs]);
      if (failures.size > ADDRESSES) failures.delete(failures.keys().next().value ?? "");
      throw new HttpError(401, "A valid bearer token is needed: Authorization: Bearer <token>", {
        "www-authenticate": 'Bearer realm="promotion"',
      });
    },
  };
}

/** In a time that depends on neither text: digests have one length, and are compared whole. */
const isSame = (given: string, token: string): boolean => timingSafeEqual(digestOf(given), digestOf(token));

const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();
