import { expect, test } from "vitest";
import { hasType, kafkaError } from "../../src/kafka/errors.ts";

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });
const protocol = (type: string): Error => Object.assign(new Error(type), { type });

test.each([
  [
    named("KafkaJSSASLAuthenticationError", "SASL PLAIN authentication failed"),
    "LOG_FORBIDDEN",
    /KAFKA_SASL_PASSWORD/,
  ],
  [protocol("TOPIC_AUTHORIZATION_FAILED"), "LOG_FORBIDDEN", /KAFKA_SASL_USERNAME/],
  [
    Object.assign(new Error("self-signed"), { code: "SELF_SIGNED_CERT_IN_CHAIN" }),
    "LOG_FORBIDDEN",
    /KAFKA_SSL_CA_FILE/,
  ],
  [protocol("UNKNOWN_TOPIC_OR_PARTITION"), "TOPIC_MISSING", /ensureTopics/],
  [protocol("MESSAGE_TOO_LARGE"), "MESSAGE_TOO_LARGE", /claim/],
  [protocol("INVALID_REPLICATION_FACTOR"), "CONFIG_INVALID", /settings/],
  [named("KafkaJSConnectionError", "connect ECONNREFUSED"), "LOG_UNAVAILABLE", /join: connect ECONNREFUSED/],
  [new TypeError("of kafkajs itself"), "LOG_UNAVAILABLE", /of kafkajs itself/],
])("%s means %s", (error, code, message) => {
  const failure = kafkaError(error, "join");
  expect(failure).toMatchObject({ code, cause: error, message: expect.stringMatching(message) });
});

test("what lies beneath counts, however deep", () => {
  const denied = protocol("GROUP_AUTHORIZATION_FAILED");
  const wrapped = new Error("gave up", { cause: denied });
  expect(kafkaError(wrapped, "join").code).toBe("LOG_FORBIDDEN");
  const gathered = Object.assign(new Error("some groups"), {
    groups: [{ error: protocol("GROUP_ID_NOT_FOUND") }],
  });
  expect(hasType(gathered, "GROUP_ID_NOT_FOUND")).toBe(true);
});

test("an error that has a code keeps it", () => {
  const failure = kafkaError(protocol("MESSAGE_TOO_LARGE"), "publish");
  expect(kafkaError(failure, "do more")).toBe(failure);
});
