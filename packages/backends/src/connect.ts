import { join } from "node:path";
import type { Clock } from "@flts/common/ports/clock";
import type { MessageLog } from "@flts/common/ports/message-log";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { Random } from "@flts/common/ports/random";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { setting } from "@flts/common/service/config";
import { z } from "zod";
import { createFailpoint } from "./failpoints.ts";
import { kafkaConnection, kafkaSecrets, kafkaSettings } from "./kafka/connection.ts";
import { s3Location } from "./s3/location.ts";
import { createSystemClock } from "./system-clock.ts";
import { createSystemRandom } from "./system-random.ts";

/** Environment variables that say where the backends are; a service adds them to its own settings. */
export const backendSettings = {
  /** Kafka's brokers, `host:port` each, with commas between; the embedded log when not set. */
  KAFKA_BOOTSTRAP_SERVERS: setting.text(""),
  ...kafkaSettings,
  /** URL of the S3 store; a folder when not set. */
  S3_ENDPOINT: setting.text(""),
  AWS_REGION: setting.text("us-east-1"),
  /** Credentials of the S3 store; when not set, the SDK looks where AWS puts those of a pod or a machine. */
  AWS_ACCESS_KEY_ID: setting.text(""),
  AWS_SECRET_ACCESS_KEY: setting.text(""),
  AWS_SESSION_TOKEN: setting.text(""),
  /** URL of the MLflow server; records in the object store when not set. */
  MLFLOW_TRACKING_URI: setting.text(""),
  /** Credentials of the MLflow server, as its own clients read them. */
  MLFLOW_TRACKING_USERNAME: setting.text(""),
  MLFLOW_TRACKING_PASSWORD: setting.text(""),
  MLFLOW_TRACKING_TOKEN: setting.text(""),
  /** The folder of the embedded backends. */
  FLTS_HOME: setting.text(".flts"),
  /** After so much silence a member of an embedded log's group loses its partitions. */
  EMBEDDED_LOG_LEASE_MS: setting.int(3000, { min: 300 }),
  /** How long the embedded log keeps messages; Kafka's default of seven days. */
  EMBEDDED_LOG_RETENTION_MS: setting.int(7 * 24 * 60 * 60_000, { min: 1 }),
  /** How many bytes of messages each partition of the embedded log keeps. */
  EMBEDDED_LOG_RETENTION_BYTES: setting.int(256 * 1024 * 1024, { min: 1 }),
  /** A named place to die at, for fault tests only: `failpoints.ts`. */
  FLTS_FAILPOINT: setting.text(""),
  /** Whom a failpoint kills. */
  FLTS_FAILPOINT_SCOPE: setting.choice(["group", "process"], "group"),
  /** What a failpoint does: kill, or stop until a SIGCONT comes. */
  FLTS_FAILPOINT_ACTION: setting.choice(["kill", "stop"], "kill"),
  /** A failpoint does nothing while there is this file; it makes the file before it kills. */
  FLTS_FAILPOINT_FILE: setting.text(""),
};

/** Settings that may be given as files: the `secrets` of `loadConfig`. */
export const backendSecrets = [
  ...kafkaSecrets,
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "MLFLOW_TRACKING_USERNAME",
  "MLFLOW_TRACKING_PASSWORD",
  "MLFLOW_TRACKING_TOKEN",
];

const settingsSchema = z.object(backendSettings);
export type BackendSettings = z.infer<typeof settingsSchema>;

/** Everything outside the process. */
export interface Backends {
  readonly log: MessageLog;
  readonly store: ObjectStore;
  readonly tracker: RunTracker;
  readonly clock: Clock;
  readonly random: Random;
  close(): Promise<void>;
}

interface Site {
  readonly settings: BackendSettings;
  readonly clock: Clock;
  readonly random: Random;
}

/** A port's two adapters: the vendor's where its variable is set, else the embedded one. Each is loaded only when it is chosen. */
interface Choice<Args extends readonly unknown[], Port> {
  readonly variable: "KAFKA_BOOTSTRAP_SERVERS" | "S3_ENDPOINT" | "MLFLOW_TRACKING_URI";
  readonly real: (site: Site, ...args: Args) => Promise<Port>;
  readonly embedded: (site: Site, ...args: Args) => Promise<Port>;
}

const choices = {
  log: {
    variable: "KAFKA_BOOTSTRAP_SERVERS",
    real: async ({ settings, clock }) => {
      const connection = kafkaConnection(settings);
      const { createKafkaLog } = await import("./kafka/kafka-log.ts");
      return createKafkaLog(connection, clock);
    },
    embedded: async ({ settings, clock }) => {
      const { createSqliteLog } = await import("./embedded/sqlite-log.ts");
      return createSqliteLog({
        file: join(settings.FLTS_HOME, "log", "log.db"),
        clock,
        leaseMs: settings.EMBEDDED_LOG_LEASE_MS,
        retentionMs: settings.EMBEDDED_LOG_RETENTION_MS,
        retentionBytes: settings.EMBEDDED_LOG_RETENTION_BYTES,
      });
    },
  } satisfies Choice<[], MessageLog>,
  store: {
    variable: "S3_ENDPOINT",
    real: async ({ settings, clock, random }) => {
      const location = s3Location(settings);
      const { createS3Store } = await import("./s3/s3-store.ts");
      return createS3Store({ location, clock, random });
    },
    embedded: async ({ settings, random }) => {
      const { createFolderStore } = await import("./embedded/folder-store.ts");
      return createFolderStore({ folder: join(settings.FLTS_HOME, "store"), random });
    },
  } satisfies Choice<[], ObjectStore>,
  tracker: {
    variable: "MLFLOW_TRACKING_URI",
    real: async ({ settings, clock }, store) => {
      const { createMlflowTracker } = await import("./mlflow/mlflow-tracker.ts");
      return createMlflowTracker({ settings, store: settings.S3_ENDPOINT === "" ? null : store, clock });
    },
    embedded: async ({ clock, random }, store) => {
      const { createStoreTracker } = await import("./embedded/store-tracker.ts");
      return createStoreTracker({ store, clock, random });
    },
  } satisfies Choice<[ObjectStore], RunTracker>,
};

/**
 * Opens the backends that the settings name.
 * @throws CONFIG_INVALID; the adapters' own errors
 */
export async function connectBackends(settings: BackendSettings): Promise<Backends> {
  const site: Site = { settings, clock: createSystemClock(), random: createSystemRandom() };
  const opened: { close(): Promise<void> }[] = [];
  /** In reverse order of opening: the tracker may stand on the store. */
  const close = async (): Promise<void> => {
    for (const port of opened.splice(0).toReversed()) await port.close();
  };
  const keep = <Port extends { close(): Promise<void> }>(port: Port): Port => {
    opened.push(port);
    return port;
  };
  const { watchLog, watchStore, watchTracker } = createFailpoint({
    place: settings.FLTS_FAILPOINT,
    scope: settings.FLTS_FAILPOINT_SCOPE,
    action: settings.FLTS_FAILPOINT_ACTION,
    markerFile: settings.FLTS_FAILPOINT_FILE,
  });
  try {
    const store = watchStore(keep(await open(choices.store, site)));
    const log = watchLog(keep(await open(choices.log, site)));
    const tracker = watchTracker(keep(await open(choices.tracker, site, store)));
    return { log, store, tracker, clock: site.clock, random: site.random, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open<Args extends readonly unknown[], Port>(
  { variable, real, embedded }: Choice<Args, Port>,
  site: Site,
  ...args: Args
): Promise<Port> {
  return site.settings[variable] !== "" ? real(site, ...args) : embedded(site, ...args);
}
