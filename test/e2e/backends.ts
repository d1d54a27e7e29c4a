/** Which backends a test runs on, as settings of the services. */
export type Environment = Readonly<Record<string, string>>;

const names = ["KAFKA_BOOTSTRAP_SERVERS", "S3_ENDPOINT", "MLFLOW_TRACKING_URI"] as const;

/** The embedded backends in a folder, whatever the environment of the tests says. */
export const embeddedIn = (home: string): Environment => ({
  ...Object.fromEntries(names.map((name) => [name, ""])),
  FLTS_HOME: home,
});

/** Real servers: where the environment says they are. */
export interface Servers {
  readonly kafka: string;
  readonly s3: string;
  readonly mlflow: string;
}

/** @throws Error naming the variables that are not set */
export function serversOf(environment: Readonly<Record<string, string | undefined>>): Servers {
  const missing = names.filter((name) => (environment[name] ?? "") === "");
  if (missing.length > 0)
    throw new Error(
      `${missing.join(", ")} not set: run  pnpm test e2e-servers,  which starts servers of its own`,
    );
  const [kafka, s3, mlflow] = names.map((name) => environment[name] ?? "");
  return { kafka: kafka!, s3: s3!, mlflow: mlflow! };
}
