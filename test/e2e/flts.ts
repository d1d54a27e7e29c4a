import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { synthesizeStation } from "@flts/forecasting/synthetic/station";
import { toCsv } from "@flts/forecasting/synthetic/to-csv";
import { sliceRows } from "@flts/forecasting/table/table";
import { embeddedIn } from "./backends.ts";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly ended: Promise<Ended>;
  /** Resolves with the first complete line of standard output. */
  readonly firstLine: Promise<string>;
  stop(): void;
}

/** Starts the command line as a person would, with nothing of the environment that could change what it does. */
export function startFlts(parameters: readonly string[], environment: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, ["--conditions=source", "packages/cli/src/main.ts", ...parameters], {
    // The pipe ends it when the tests are killed.
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      ...process.env,
      ...embeddedIn(""),
      FLTS_PARENT: "1",
      FLTS_DATASET_DIR: "",
      NO_COLOR: "1",
      ...environment,
    },
  });
  const output = { stdout: "", stderr: "" };
  const first = Promise.withResolvers<string>();
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output.stdout += chunk;
    const end = output.stdout.indexOf("\n");
    if (end >= 0) first.resolve(output.stdout.slice(0, end));
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    output.stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code) => resolve({ code, ...output }));
  });
  return { ended, firstLine: first.promise, stop: () => void child.kill("SIGTERM") };
}

export const runFlts = (
  parameters: readonly string[],
  environment: Record<string, string> = {},
): Promise<Ended> => startFlts(parameters, environment).ended;

/** The one JSON object that `--json` ends with. */
export const resultOf = ({ stdout }: Ended): unknown => JSON.parse(stdout.trim().split("\n").at(-1) ?? "");

export interface Scratch {
  readonly folder: string;
  /** A home of its own. */
  home(): string;
  /** A folder with `a.csv` and `a_test.csv`. */
  dataset(train: string | Uint8Array, test?: string): string;
  remove(): void;
}

export function makeScratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), "flts-e2e-"));
  const fresh = (prefix: string): string => mkdtempSync(join(folder, `${prefix}-`));
  return {
    folder,
    home: () => fresh("home"),
    dataset(train, test = stationCsv(300, 700)) {
      const data = fresh("data");
      mkdirSync(data, { recursive: true });
      writeFileSync(join(data, "a.csv"), train);
      writeFileSync(join(data, "a_test.csv"), test);
      return data;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const station = synthesizeStation({ seed: 4, rows: 1_200, startMs: Date.UTC(2024, 0, 8) });

/** Rows of one made-up station as CSV. */
export const stationCsv = (rows: number, from = 0): string => toCsv(sliceRows(station, from, from + rows));
