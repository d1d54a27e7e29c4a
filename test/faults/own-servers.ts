import { execFile } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { isFull } from "./places.ts";

/** Servers that a test may kill and start again: those of tools/components, where `FLTS_RUN_DIR` says who runs them. */
export const mayKillServers = (process.env["FLTS_RUN_DIR"] ?? "") !== "";

type Server = "kafka" | "s3" | "mlflow";

async function run(server: Server, command: "crash" | "up"): Promise<void> {
  const ports = ["KAFKA", "KAFKA_CONTROLLER", "S3", "POSTGRES", "MLFLOW"];
  // They come back at the ports that they had.
  const env = { ...process.env, ...Object.fromEntries(ports.map((name) => [`FLTS_${name}_PORT`, "0"])) };
  await promisify(execFile)(`tools/components/${server}.sh`, [command], {
    env: { ...env, FLTS_READY_SECONDS: "180" },
  });
}

/** Kills a server (SIGKILL), lets `meanwhile` happen, and starts it again after a while, on the data that it left. */
export async function outage(server: Server, meanwhile: () => void | Promise<void>): Promise<void> {
  await run(server, "crash");
  try {
    await meanwhile();
    await pass();
  } finally {
    await run(server, "up");
  }
}

/** The length of an outage, or of a freeze. */
const LONG_MS = { outage: 20_000, freeze: 30_000 };
const SHORT_MS = 5_000;

export const pass = (what: keyof typeof LONG_MS = "outage"): Promise<void> =>
  wait(isFull ? LONG_MS[what] : SHORT_MS);
