import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig, setting } from "@flts/common/service/config";
import { afterEach, beforeEach, expect, test } from "vitest";
import { kafkaConnection, kafkaSecrets, kafkaSettings } from "../../src/kafka/connection.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flts-kafka-"));
});
afterEach(() => rm(folder, { recursive: true }));

const connectionOf = (environment: Readonly<Record<string, string>>) => {
  const shape = { KAFKA_BOOTSTRAP_SERVERS: setting.text("one:9092, two:9093"), ...kafkaSettings };
  return kafkaConnection(loadConfig(shape, environment, kafkaSecrets));
};

test("without further settings brokers are reached in plain text", () => {
  expect(connectionOf({})).toMatchObject({ brokers: ["one:9092", "two:9093"], tls: null, sasl: null });
});

test("certificates and the password come from files", async () => {
  for (const name of ["ca", "cert", "key", "password"]) await writeFile(join(folder, name), `${name}\n`);
  const connection = connectionOf({
    KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
    KAFKA_SASL_MECHANISM: "SCRAM-SHA-512",
    KAFKA_SASL_USERNAME: "flts",
    KAFKA_SASL_PASSWORD_FILE: join(folder, "password"),
    KAFKA_SSL_CA_FILE: join(folder, "ca"),
    KAFKA_SSL_CERT_FILE: join(folder, "cert"),
    KAFKA_SSL_KEY_FILE: join(folder, "key"),
  });
  expect(connection).toMatchObject({
    tls: { ca: "ca", cert: "cert", key: "key" },
    sasl: { mechanism: "SCRAM-SHA-512", username: "flts", password: "password" },
  });
});

test("all faults are named at once", () => {
  const environment = {
    KAFKA_BOOTSTRAP_SERVERS: "kafka",
    KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
    KAFKA_SSL_CA_FILE: join(folder, "absent"),
    KAFKA_SSL_KEY_FILE: join(folder, "absent too"),
  };
  const faults = /host:port.*KAFKA_SASL_USERNAME.*KAFKA_SSL_CA_FILE=.*absent.*KAFKA_SSL_CERT_FILE and/;
  expect(() => connectionOf(environment)).toThrow(faults);
});
