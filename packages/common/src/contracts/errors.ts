/**
 * Every failure FLTS can name. A code's kind says who can mend it:
 * - `retryable`: time. The message is held and tried again for as long as it takes.
 * - `poison`: the sender. The message is dead-lettered at once.
 * - `fatal`: an operator. The process ends with a line that names what is missing.
 * An error without a code is a bug: a few attempts, then a dead letter and an alarm.
 */
export type ErrorKind = "retryable" | "poison" | "fatal";

const kinds = {
  // claims and events
  EVENT_INVALID: "poison",
  EVENT_TOO_OLD: "poison",
  EVENT_TOO_NEW: "retryable",
  CLAIM_MISSING: "retryable",
  CLAIM_CORRUPT: "poison",
  CLAIM_FORBIDDEN: "poison",
  // object store
  STORE_UNAVAILABLE: "retryable",
  STORE_FORBIDDEN: "fatal",
  STORE_UNSAFE: "fatal",
  BUCKET_MISSING: "fatal",
  OBJECT_MISSING: "retryable",
  OBJECT_CONFLICT: "retryable",
  OBJECT_NAME_INVALID: "poison",
  OBJECT_TOO_LARGE: "poison",
  // message log
  LOG_UNAVAILABLE: "retryable",
  LOG_FORBIDDEN: "fatal",
  LOG_CORRUPT: "fatal",
  TOPIC_MISSING: "fatal",
  MESSAGE_TOO_LARGE: "poison",
  OWNERSHIP_LOST: "retryable",
  GROUP_ACTIVE: "retryable",
  // run tracker
  TRACKER_UNAVAILABLE: "retryable",
  TRACKER_FORBIDDEN: "fatal",
  TRACKER_REJECTED: "poison",
  RUN_MISSING: "poison",
  // data
  CSV_INVALID: "poison",
  TABLE_INVALID: "poison",
  TABLE_TOO_SHORT: "poison",
  COLUMN_MISSING: "poison",
  SETTINGS_INVALID: "poison",
  // training and models
  TRAINING_DIVERGED: "poison",
  TRAINING_CRASHED: "retryable",
  FORECASTER_CRASHED: "retryable",
  LEASE_LOST: "retryable",
  MEMBERS_MISSING: "poison",
  ARTIFACT_INVALID: "poison",
  MODEL_UNKNOWN: "poison",
  MODEL_MISSING: "retryable",
  // promotion
  POINTER_INVALID: "poison",
  PROMOTION_CONFLICT: "retryable",
  PROMOTION_REFUSED: "poison",
  // process
  CONFIG_INVALID: "fatal",
  INPUT_MISSING: "fatal",
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof kinds;

/** The kind of a code: who can mend it. */
export const kindOf = (code: ErrorCode): ErrorKind => kinds[code];

/** An error with a code of the table above. `message` says what to do next, `cause` keeps the chain. */
export class FltsError extends Error {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "FltsError";
    this.code = code;
    this.kind = kinds[code];
  }
}

/** The code of an error, or `UNCLASSIFIED` for one that nobody has named: a bug. */
export function codeOf(error: unknown): ErrorCode | "UNCLASSIFIED" {
  return error instanceof FltsError ? error.code : "UNCLASSIFIED";
}

export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is FltsError {
  return error instanceof FltsError && codes.includes(error.code);
}
