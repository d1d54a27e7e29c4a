import { hash } from "node:crypto";
import type { Champion } from "../model/model-slot.ts";

/**
 * Answers by the content of their requests, for as long as the champion that gave them is the champion. Off unless an operator turns it on: clients that send
 * measurements never ask the same thing twice.
 */
export interface ResponseCache {
  /** The answer to a request of these very bytes; null when it has to be computed. */
  find(key: string): string | null;
  keep(key: string, answer: string, origin: AnswerOrigin): void;
  /** Answers given so far. */
  served(): number;
}

/** What an answer follows from, beside its request. */
export interface AnswerOrigin {
  readonly identifier: string | null;
  readonly champion: Champion;
}

export interface ResponseCacheOptions {
  readonly maxBytes: number;
  /** The champion of a station now. */
  readonly championOf: (identifier: string | null) => Champion | null;
  /** The table that requests without data are answered from now. */
  readonly cachedFrame: () => object | null;
}

interface Kept extends AnswerOrigin {
  readonly answer: string;
  readonly frame: object | null;
}

export function createResponseCache({
  maxBytes,
  championOf,
  cachedFrame,
}: ResponseCacheOptions): ResponseCache {
  /** In the order of their last use. */
  const kept = new Map<string, Kept>();
  let bytes = 0;
  let served = 0;

  function drop(key: string, { answer }: Kept): void {
    kept.delete(key);
    bytes -= answer.length;
  }

  return {
    find(key) {
      const found = kept.get(key);
      if (found === undefined) return null;
      const promotion = championOf(found.identifier)?.promotion;
      if (promotion !== found.champion.promotion || cachedFrame() !== found.frame) {
        drop(key, found);
        return null;
      }
      kept.delete(key);
      kept.set(key, found);
      served += 1;
      return found.answer;
    },
    keep(key, answer, origin) {
      const before = kept.get(key);
      if (before !== undefined) drop(key, before);
      kept.set(key, { ...origin, answer, frame: cachedFrame() });
      bytes += answer.length;
      for (const [oldest, entry] of kept) {
        if (bytes <= maxBytes) break;
        drop(oldest, entry);
      }
    },
    served: () => served,
  };
}

/** Names a request by its content. */
export const contentKey = (body: string, query: string): string => hash("sha256", `${query}\n${body}`);
