import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { servingNodeOptions } from "@flts/common/service/serving-process";

/** One inference process, as a pod runs it. */
export interface Replica {
  readonly host: string;
  readonly port: number;
  /** CPU seconds that it has used so far, all threads. */
  cpuSeconds(): number;
  /** Memory that it holds now. */
  residentMiB(): number;
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
/** Of Linux: one hundredth of a second. */
export const TICKS_PER_SECOND = 100;

/** Starts a replica on a home and resolves when its model is loaded. */
export async function startReplica(
  home: string,
  name: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Replica> {
  const child = spawn(process.execPath, ["--conditions=source", "services/inference/src/main.ts"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      FLTS_HOME: home,
      MODEL_CACHE_DIR: `${home}/cache-${name}`,
      HOST,
      PORT: "0",
      METRICS_PORT: "0",
      POD_NAME: name,
      NODE_OPTIONS: servingNodeOptions,
      ...environment,
    },
  });
  const url = new URL(await readyUrl(child));
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while ((await fetch(new URL("/ready", url))).status !== 200) {
    if (performance.now() > deadline) throw new Error("the replica did not load its model");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const pid = child.pid ?? 0;
  return {
    host: HOST,
    port: Number(url.port),
    cpuSeconds() {
      const fields = processFile(pid, "stat").split(") ")[1]?.split(" ") ?? [];
      return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
    },
    residentMiB: () => Number(/VmRSS:\s+(\d+) kB/.exec(processFile(pid, "status"))?.[1] ?? 0) / 1024,
    stop: () =>
      new Promise((resolve) => {
        child.once("close", () => resolve());
        child.kill("SIGTERM");
      }),
  };
}

/** Where its `service_ready` line says that it listens. */
function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("close", (code) => reject(new Error(`the replica ended with code ${code}`)));
    createInterface({ input: child.stdout! }).on("line", (line) => {
      const { event, url } = JSON.parse(line) as Record<string, string>;
      if (event === "service_ready" && url !== undefined) resolve(url);
    });
  });
}

/** Linux only: elsewhere there is no `/proc`, and nothing is said. */
function processFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}
