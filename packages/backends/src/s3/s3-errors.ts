import { type ErrorCode, FltsError, hasCode } from "@flts/common/contracts/errors";

/** What a failed request means. */
export interface S3Fault {
  /** In the store's terms; an error that nobody has named stays as it is. */
  readonly error: unknown;
  /** The same request may succeed in a moment. */
  readonly passing: boolean;
  /** The store may have done what was asked, though nobody heard of it. */
  readonly perhapsDone: boolean;
}

/** Classifies what the SDK threw. `subject` is what error messages say about the object. */
export function faultOf(error: unknown, subject: string): S3Fault {
  const code = error instanceof Error && !(error instanceof FltsError) ? codeOf(error) : null;
  if (code === null) return { error, passing: false, perhapsDone: false };
  const { name, message } = error as Error;
  const reason = message === "UnknownError" || message === name ? name : `${name}, ${message}`;
  const passing = code === "STORE_UNAVAILABLE";
  return {
    error: new FltsError(code, `${texts[code]}: ${reason} (${subject})`, error),
    passing,
    perhapsDone: passing && !overtaken.includes(name) && !unsent.includes(systemCodeOf(error)),
  };
}

/** The store knew who asked, and did not let them. */
export const isAccessDenied = (error: unknown): boolean =>
  error instanceof Error && error.name === "AccessDenied";

/** A refusal whose answer had no body with a reason. */
export const isWordless = (error: unknown): boolean =>
  error instanceof Error && (error.name === "NotFound" || error.name === "Unknown");

/** The result, or null for what is not there. */
export async function orNull<Output>(asked: Promise<Output>): Promise<Output | null> {
  try {
    return await asked;
  } catch (error) {
    if (hasCode(error, "OBJECT_MISSING", "BUCKET_MISSING")) return null;
    throw error;
  }
}

type StoreErrorCode = keyof typeof texts;

const texts = {
  STORE_UNAVAILABLE: "The S3 store does not answer as it should",
  STORE_FORBIDDEN:
    "The S3 store refuses us: check S3_ENDPOINT, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, NODE_EXTRA_CA_CERTS and the clock",
  BUCKET_MISSING: "There is no such bucket: create it",
  OBJECT_MISSING: "There is no such object",
  OBJECT_CONFLICT: "The object exists already, or is not the expected version",
  OBJECT_TOO_LARGE: "The S3 store takes no object as large as this",
  OBJECT_NAME_INVALID: "The S3 store cannot hold an object of this name beside what it has",
} as const satisfies Partial<Record<ErrorCode, string>>;

/** Refusals because of another request to the same object: nothing was done, and the condition may still hold. */
const overtaken = ["ConditionalRequestConflict", "OperationAborted"];

/** Failures before a request was sent. */
const unsent: readonly unknown[] = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];

/** By the code in the answer's body. Those not listed follow from the HTTP status. */
const byName: Readonly<Record<StoreErrorCode, readonly string[]>> = {
  STORE_UNAVAILABLE: [
    ...overtaken,
    "TimeoutError",
    // The body was damaged or cut short on its way.
    "BadDigest",
    "IncompleteBody",
    "RequestTimeout",
    "XAmzContentSHA256Mismatch",
  ],
  STORE_FORBIDDEN: [
    "AuthorizationHeaderMalformed",
    "BucketAlreadyExists",
    "CredentialsProviderError",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "PermanentRedirect",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    // versitygw's answer to an unknown access key, with status 404.
    "XAdminUserNotFound",
  ],
  BUCKET_MISSING: ["NoSuchBucket"],
  OBJECT_MISSING: ["NoSuchKey", "NotFound"],
  OBJECT_CONFLICT: ["NoSuchUpload", "PreconditionFailed"],
  OBJECT_TOO_LARGE: ["EntityTooLarge"],
  OBJECT_NAME_INVALID: [
    "InvalidBucketName",
    "KeyTooLongError",
    "XMinioInvalidObjectName",
    "XMinioInvalidResourceName",
    // Stores on plain files cannot hold `a` beside `a/b`.
    "ExistingObjectIsDirectory",
    "ObjectParentIsFile",
    "XMinioParentIsObject",
  ],
};

const codesByName: ReadonlyMap<string, StoreErrorCode> = new Map(
  Object.entries(byName).flatMap(([code, names]) => names.map((name) => [name, code as StoreErrorCode])),
);

function codeOf(error: Error): StoreErrorCode | null {
  const named = codesByName.get(error.name);
  if (named !== undefined) return named;
  const status = statusOf(error);
  if (status === null) return codeOfConnection(systemCodeOf(error));
  if (status >= 500 || status === 429) return "STORE_UNAVAILABLE";
  if (status === 401 || status === 403) return "STORE_FORBIDDEN";
  if (status === 412) return "OBJECT_CONFLICT";
  // Something else than an S3 store has answered: a proxy whose store is away.
  if (error.name === "Error" || error.name === "Unknown") return "STORE_UNAVAILABLE";
  return null;
}

function codeOfConnection(systemCode: unknown): StoreErrorCode | null {
  if (typeof systemCode !== "string") return null;
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(systemCode)) return "STORE_FORBIDDEN";
  return /^(E(?!RR_)|HPE_)/.test(systemCode) ? "STORE_UNAVAILABLE" : null;
}

const systemCodeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;

/** The HTTP status of the answer, also of one that the SDK could not read; null when there was none. */
function statusOf(error: Error): number | null {
  if (!("$metadata" in error)) return null;
  const { httpStatusCode } = error.$metadata as { readonly httpStatusCode?: number };
  return httpStatusCode ?? null;
}
