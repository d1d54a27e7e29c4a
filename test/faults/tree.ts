import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Backends, backendSettings, connectBackends } from "@flts/backends/connect";
import { loadConfig } from "@flts/common/service/config";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { sliceRows } from "@flts/forecasting/table/table";
import { expect } from "vitest";
import { isSettled } from "./audit.ts";

/** The process tree of `flts up` on made-up measurements, to be killed and started again. */

export interface Site {
  /** A home of its own. */
  home(): string;
  /** Starts `flts up` on that home, as the leader of a process group of its own. */
  up(home: string, environment?: Readonly<Record<string, string>>): Tree;
  remove(): void;
}

export interface Tree {
  /** Exit code of `flts up`, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
  /** Asks `flts up` to stop. */
  stop(): void;
  /** Kills every process of the group at once, as when a machine dies. */
  kill(): void;
}

/** Measurements of these stations, in a folder of their own. */
export function makeSite(stations: readonly string[]): Site {
  const folder = mkdtempSync(join(tmpdir(), "flts-faults-"));
  const data = join(folder, "data");
  mkdirSync(data);
  for (const [index, name] of stations.entries()) {
    const station = synthesizeStation({ seed: 9 + index, rows: 900, startMs: Date.UTC(2024, 0, 8) });
    writeFileSync(join(data, `${name}.csv`), toCsv(sliceRows(station, 0, 700)));
    writeFileSync(join(data, `${name}_test.csv`), toCsv(sliceRows(station, 700)));
  }
  return {
    home: () => mkdtempSync(join(folder, "home-")),
    up: (home, environment = {}) => startTree(home, data, stations, environment),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function startTree(
  home: string,
  data: string,
  stations: readonly string[],
  environment: Readonly<Record<string, string>>,
): Tree {
  const source = ["--data", data, "--dataset", stations.join(","), "--families", "LINEAR"];
  const ports = ["--gateway-port", "0", "--inference-port", "0", "--eval-port", "0"];
  const child = spawn(
    process.execPath,
    ["--conditions=source", "packages/cli/src/main.ts", "up", "--home", home, ...source, ...ports],
    {
      detached: true,
      // The pipe ends it when the tests are killed: outside their group nobody else would.
      stdio: ["pipe", "ignore", "ignore"],
      env: {
        ...process.env,
        FLTS_DATASET_DIR: "",
        FLTS_PARENT: "1",
        EMBEDDED_LOG_LEASE_MS: "500",
        ...environment,
      },
    },
  );
  return {
    ended: new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve(code ?? signal));
    }),
    stop: () => void child.kill("SIGTERM"),
    kill() {
      try {
        process.kill(-(child.pid ?? 0), "SIGKILL");
      } catch {
        // It has ended.
      }
    },
  };
}

/** Lets the tree do all there is to do, stops it, and hands what is left behind to `look`. */
export async function finish(
  tree: Tree,
  home: string,
  identifiers: readonly string[],
  look: (backends: Backends) => Promise<void>,
): Promise<void> {
  const backends = await connectBackends(loadConfig(backendSettings, { FLTS_HOME: home }));
  try {
    await expect.poll(() => isSettled(backends, identifiers), { timeout: 60_000, interval: 100 }).toBe(true);
    tree.stop();
    expect(await tree.ended).toBe(0);
    await look(backends);
  } finally {
    tree.kill();
    await backends.close();
  }
}
