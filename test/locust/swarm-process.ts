import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A real Locust, one master and some workers, as tools/components brings it. */

const script = "tools/components/locust.sh";

export const WORKERS = 3;

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** What the swarm's report.json says. */
export interface Report {
  readonly passed: boolean;
  readonly verdict: { readonly criteria: readonly { readonly name: string; readonly met: boolean }[] };
  readonly summary: {
    readonly rows: readonly Row[];
    readonly total: Row;
    readonly failures: readonly { readonly name: string; readonly error: string; readonly count: number }[];
  };
}

interface Row {
  readonly name: string;
  readonly requests: number;
  readonly failures: number;
}

export interface Site {
  readonly folder: string;
  /** Runs a command of the script to its end. */
  run(
    command: readonly string[],
    environment?: Readonly<Record<string, string>>,
    program?: string,
  ): Promise<Ended>;
  readReport(): Report;
  /** Ends what was started and removes the folder. */
  close(): Promise<void>;
}

/** A folder with ports of its own, so that other swarms on this machine are not met. */
export function openSite(): Site {
  const folder = mkdtempSync(join(tmpdir(), "flts-swarm-"));
  const own = {
    FLTS_RUN_DIR: join(folder, "run"),
    FLTS_LOCUST_PORT: "0",
    FLTS_LOCUST_WEB_PORT: "0",
    FLTS_LOCUST_WORKERS: String(WORKERS),
    LOCUST_REPORT_DIR: join(folder, "report"),
    PYTHONDONTWRITEBYTECODE: "1",
  };
  const run: Site["run"] = (command, environment = {}, program = script) =>
    endOf(
      spawn(program, command, {
        env: { ...process.env, ...own, ...environment },
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
  return {
    folder,
    run,
    readReport: () => JSON.parse(readFileSync(join(folder, "report", "report.json"), "utf8")) as Report,
    async close() {
      await run(["down"]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function endOf(child: ChildProcess): Promise<Ended> {
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  return new Promise((resolve) => {
    child.once("close", (code) => resolve({ code, output }));
  });
}
