import { type ErrorCode, FltsError } from "@flts/common/contracts/errors";

/**
 * What a failure of kafkajs means to us. What is not known here counts as a log that is away just now: time mends it, or an operator
 * who reads the message. kafkajs's own word on whether an error is retriable is not to be trusted: a refused connection comes as
 * not retriable once its retries are used up.
 */
export function kafkaError(error: unknown, doing: string): FltsError {
  if (error instanceof FltsError) return error;
  const chain = errorChain(error);
  for (const { mark, code, advice } of meanings) {
    const found = chain.find((link) =>
      [link.name, link.type, link.code].some((word) => mark.test(String(word))),
    );
    if (found) return new FltsError(code, `Kafka refused to ${doing}: ${found.message}. ${advice}`, error);
  }
  const text = chain.at(-1)?.message ?? String(error);
  return new FltsError("LOG_UNAVAILABLE", `Kafka did not ${doing}: ${text}`, error);
}

/** The member is not, or no longer, in the generation of its group for which it spoke. */
export function isRebalance(error: unknown): boolean {
  return hasType(error, "ILLEGAL_GENERATION", "REBALANCE_IN_PROGRESS", "UNKNOWN_MEMBER_ID");
}

/** Whether a protocol error of one of these types is at the bottom of it. */
export function hasType(error: unknown, ...types: readonly string[]): boolean {
  return errorChain(error).some(({ type }) => typeof type === "string" && types.includes(type));
}

interface Meaning {
  /** What the link's name, protocol error and code look like. */
  readonly mark: RegExp;
  readonly code: ErrorCode;
  readonly advice: string;
}

const meanings: readonly Meaning[] = [
  {
    mark: /SASLAuthentication|SASL_AUTHENTICATION_FAILED|UNSUPPORTED_SASL_MECHANISM/,
    code: "LOG_FORBIDDEN",
    advice:
      "Check KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
  },
  {
    mark: /_AUTHORIZATION_FAILED/,
    code: "LOG_FORBIDDEN",
    advice: "Give the user of KAFKA_SASL_USERNAME this right on the brokers",
  },
  {
    mark: /SELF_SIGNED_CERT|UNABLE_TO_|CERT_|ERR_TLS|ERR_SSL|EPROTO/,
    code: "LOG_FORBIDDEN",
    advice: "Check KAFKA_SECURITY_PROTOCOL, KAFKA_SSL_CA_FILE, KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE",
  },
  {
    mark: /UNKNOWN_TOPIC_OR_PARTITION/,
    code: "TOPIC_MISSING",
    advice: "Create the topic with ensureTopics",
  },
  {
    mark: /MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE/,
    code: "MESSAGE_TOO_LARGE",
    advice: "Put the bytes into the store and send a claim",
  },
  {
    mark: /INVALID_(TOPIC_EXCEPTION|PARTITIONS|REPLICATION_FACTOR|CONFIG)|POLICY_VIOLATION/,
    code: "CONFIG_INVALID",
    advice: "Check the topic's settings against the brokers'",
  },
];

/** What kafkajs's errors have beside those of the language. */
interface KafkaErrorFields {
  /** Of the protocol, as UNKNOWN_MEMBER_ID. */
  readonly type?: unknown;
  /** Of a socket, as ECONNREFUSED. */
  readonly code?: unknown;
  readonly errors?: readonly unknown[];
  readonly groups?: readonly { readonly error?: unknown }[];
}

/** The error, its causes, and the errors that it gathers. */
function errorChain(error: unknown, depth = 0): readonly (Error & KafkaErrorFields)[] {
  if (!(error instanceof Error) || depth > 8) return [];
  const link: Error & KafkaErrorFields = error;
  const gathered = [...(link.errors ?? []), ...(link.groups ?? []).map((group) => group.error)];
  return [link, ...[link.cause, ...gathered].flatMap((next) => errorChain(next, depth + 1))];
}
