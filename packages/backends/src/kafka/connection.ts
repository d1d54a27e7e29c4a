import { readFileSync } from "node:fs";
import { FltsError } from "@flts/common/contracts/errors";
import { setting } from "@flts/common/service/config";
import type { z } from "zod";

/** How Kafka is reached beside its brokers, as environment variables. */
export const kafkaSettings = {
  /** The name by which brokers know us in their logs and quotas. */
  KAFKA_CLIENT_ID: setting.text("flts"),
  /** After so much silence a member of a group loses its partitions. Kafka's brokers allow no less than 6,000 by default. */
  KAFKA_SESSION_TIMEOUT_MS: setting.int(10_000, { min: 1000 }),
  /** Whether connections are encrypted (SSL) and whether we log in (SASL). */
  KAFKA_SECURITY_PROTOCOL: setting.choice(["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], "PLAINTEXT"),
  KAFKA_SASL_MECHANISM: setting.choice(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], "PLAIN"),
  KAFKA_SASL_USERNAME: setting.text(""),
  KAFKA_SASL_PASSWORD: setting.text(""),
  /** Certificates (PEM) of who may sign the brokers' certificates; those that Node trusts when not set. */
  KAFKA_SSL_CA_FILE: setting.text(""),
  /** Our own certificate (PEM), for brokers that ask for one. */
  KAFKA_SSL_CERT_FILE: setting.text(""),
  /** The key (PEM) of our own certificate. */
  KAFKA_SSL_KEY_FILE: setting.text(""),
};

/** Settings that may be given as files: the `secrets` of `loadConfig`. */
export const kafkaSecrets = ["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"];

export type KafkaSettings = z.infer<z.ZodObject<typeof kafkaSettings>> & {
  readonly KAFKA_BOOTSTRAP_SERVERS: string;
};

/** How Kafka is reached. */
export interface KafkaConnection {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly sessionTimeoutMs: number;
  /** Null for unencrypted connections. All in PEM. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null;
  /** Null when the brokers ask for no login. */
  readonly sasl: {
    readonly mechanism: KafkaSettings["KAFKA_SASL_MECHANISM"];
    readonly username: string;
    readonly password: string;
  } | null;
}

/** Reads the files that the settings name, and checks the whole. @throws CONFIG_INVALID naming every fault at once */
export function kafkaConnection(settings: KafkaSettings): KafkaConnection {
  const faults: string[] = [];
  const read = (name: `KAFKA_SSL_${"CA" | "CERT" | "KEY"}_FILE`): string => {
    if (settings[name] === "") return "";
    try {
      return readFileSync(settings[name], "utf8").trim();
    } catch (error) {
      faults.push(`${name}=${settings[name]}: ${error instanceof Error ? error.message : String(error)}`);
      return "";
    }
  };
  const protocol = settings.KAFKA_SECURITY_PROTOCOL;

  const brokers = settings.KAFKA_BOOTSTRAP_SERVERS.split(",")
    .map((broker) => broker.trim())
    .filter((broker) => broker !== "");
  for (const broker of brokers)
    if (!/^\S+:\d{1,5}$/.test(broker)) faults.push(`KAFKA_BOOTSTRAP_SERVERS: ${broker} is not host:port`);
  if (brokers.length === 0) faults.push("KAFKA_BOOTSTRAP_SERVERS names no broker");

  const username = settings.KAFKA_SASL_USERNAME;
  const password = settings.KAFKA_SASL_PASSWORD;
  if (protocol.startsWith("SASL_") && (username === "" || password === ""))
    faults.push(`KAFKA_SECURITY_PROTOCOL=${protocol} needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD`);

  const [ca, cert, key] = [
    read("KAFKA_SSL_CA_FILE"),
    read("KAFKA_SSL_CERT_FILE"),
    read("KAFKA_SSL_KEY_FILE"),
  ];
  if ((settings.KAFKA_SSL_CERT_FILE === "") !== (settings.KAFKA_SSL_KEY_FILE === ""))
    faults.push("KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE go together");

  if (faults.length > 0) throw new FltsError("CONFIG_INVALID", `Kafka's settings: ${faults.join("; ")}`);
  return {
    brokers,
    clientId: settings.KAFKA_CLIENT_ID,
    sessionTimeoutMs: settings.KAFKA_SESSION_TIMEOUT_MS,
    tls: protocol.endsWith("SSL") ? { ...(ca && { ca }), ...(cert && key && { cert, key }) } : null,
    sasl: protocol.startsWith("SASL_")
      ? { mechanism: settings.KAFKA_SASL_MECHANISM, username, password }
      : null,
  };
}
