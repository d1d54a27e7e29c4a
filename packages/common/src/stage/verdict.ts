import { type ErrorCode, FltsError } from "../contracts/errors.ts";

/** What becomes of a message after one attempt. */
export type StageVerdict =
  /** Done: the next message of the partition. */
  | { readonly kind: "commit" }
  /** Done without having been handled: its deadline has passed. */
  | { readonly kind: "expire" }
  /** Held: the same message again after the delay (I5). */
  | { readonly kind: "retry"; readonly delayMs: number }
  /** Given up: its dead letter is written, then the next message (I6). */
  | { readonly kind: "dead-letter"; readonly code: ErrorCode | "UNCLASSIFIED" }
  /** The process cannot go on: it ends, the message stays. */
  | { readonly kind: "crash"; readonly code: ErrorCode };

export interface RetryPolicy {
  /** First delay; doubles with every attempt. */
  readonly initialMs: number;
  /** Longest delay. */
  readonly maxMs: number;
  /** Attempts granted to an error that nobody has classified. */
  readonly maxUnclassifiedAttempts: number;
  /** Attempts granted to a training whose process died. */
  readonly maxCrashedAttempts: number;
  /** How long an object that a claim names may be missing. */
  readonly claimMissingGraceMs: number;
  /** How long a station may be without the model that its message needs. */
  readonly modelMissingGraceMs: number;
}

export const defaultRetryPolicy: RetryPolicy = {
  initialMs: 100,
  maxMs: 30_000,
  maxUnclassifiedAttempts: 3,
  maxCrashedAttempts: 3,
  claimMissingGraceMs: 60_000,
  modelMissingGraceMs: 7_200_000,
};

export interface AttemptFacts {
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** How many attempts at the message failed with this code, this one included: an outage uses up nobody's grant. */
  readonly recurrences: number;
  /** Time since the first of them, by a clock that never jumps. */
  readonly recurringMs: number;
  /** Uniform in [0, 1): spreads the retries of many consumers. */
  readonly jitter: number;
}

/** Turns a failed attempt into its verdict. Decides without acting, so that every branch is a plain assertion away. */
export function judge(error: unknown, facts: AttemptFacts, policy: RetryPolicy): StageVerdict {
  const retry: StageVerdict = { kind: "retry", delayMs: backOff(facts, policy) };
  if (!(error instanceof FltsError))
    return facts.recurrences < policy.maxUnclassifiedAttempts
      ? retry
      : { kind: "dead-letter", code: "UNCLASSIFIED" };
  const { code, kind } = error;
  if (code === "CLAIM_MISSING" && facts.recurringMs >= policy.claimMissingGraceMs)
    return { kind: "dead-letter", code };
  if (code === "MODEL_MISSING" && facts.recurringMs >= policy.modelMissingGraceMs)
    return { kind: "dead-letter", code };
  if (code === "TRAINING_CRASHED" && facts.recurrences >= policy.maxCrashedAttempts)
    return { kind: "dead-letter", code };
  switch (kind) {
    case "retryable":
      return retry;
    case "poison":
      return { kind: "dead-letter", code };
    case "fatal":
      return { kind: "crash", code };
  }
}

/** Milliseconds to wait after an attempt: exponential, between 50 % and 100 % of the doubled delay. */
export function backOff(
  { attempt, jitter }: Pick<AttemptFacts, "attempt" | "jitter">,
  { initialMs, maxMs }: RetryPolicy,
): number {
  return Math.min(initialMs * 2 ** (attempt - 1), maxMs) * (0.5 + jitter / 2);
}
