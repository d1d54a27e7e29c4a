import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { type Environment, execute, read } from "./process.ts";

/** Kafka, S3 and MLflow for a lane: those that the environment names, or some of the lane's own. */

/** Variables that say where the servers are. */
export const serverVariables = ["KAFKA_BOOTSTRAP_SERVERS", "S3_ENDPOINT", "MLFLOW_TRACKING_URI"] as const;

export const howToStart =
  'start the servers with  eval "$(pnpm -s components up)"  or with docker compose (see CONTRIBUTING.md)';

/** The variables that are not set. */
export const missingServers = (environment: Environment): readonly string[] =>
  serverVariables.filter((name) => (environment[name] ?? "") === "");

/** The same environment with the embedded backends. */
export const withoutServers = (environment: Environment): Environment => ({
  ...environment,
  ...Object.fromEntries(serverVariables.map((name) => [name, ""])),
});

/** Which store answers under `S3_ENDPOINT`. */
export type S3Backend = "minio" | "versitygw";

interface Servers {
  /** As `components.sh` names them. */
  readonly names: readonly string[];
  readonly s3: S3Backend;
}

const script = "tools/components/components.sh";
const ports = ["KAFKA", "KAFKA_CONTROLLER", "S3", "POSTGRES", "MLFLOW"];

/**
 * Starts servers on free ports, with data in a folder of their own below `scratch`, and stops them when `run` has ended, however it ended.
 * @returns null when a server did not start; the end of its log has been printed then
 */
export async function withServers<Result>(
  { names, s3 }: Servers,
  scratch: string,
  run: (environment: Environment) => Promise<Result>,
): Promise<Result | null> {
  const settings = {
    ...process.env,
    ...Object.fromEntries(ports.map((name) => [`FLTS_${name}_PORT`, "0"])),
    FLTS_S3_BACKEND: s3,
    FLTS_RUN_DIR: mkdtempSync(join(scratch, "servers-")),
    FLTS_READY_SECONDS: "120",
  };
  try {
    const printed = await read(script, ["up", ...names], settings);
    // Tests that kill servers need to know where they run.
    const { FLTS_RUN_DIR } = settings;
    return printed === null ? null : await run({ ...process.env, FLTS_RUN_DIR, ...parseExports(printed) });
  } finally {
    await execute(script, ["down"], { environment: settings, uninterrupted: true });
  }
}

/** Fetches and builds what the servers need, unless it is there. Minutes, the first time. */
export async function installServers(output: string): Promise<boolean> {
  const install = (environment: Environment, ...names: string[]): Promise<boolean> =>
    execute("nice", ["-n", "10", script, "install", ...names], { environment, output });
  return (
    (await install(process.env)) && (await install({ ...process.env, FLTS_S3_BACKEND: "versitygw" }, "s3"))
  );
}

/** The variables in lines `export NAME=value`; the shell's quotes are backslashes. */
const parseExports = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [
      name,
      value.replace(/\\(.)/g, "$1"),
    ]),
  );
