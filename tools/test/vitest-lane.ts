import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Counts, countOf } from "./counts.ts";
import { type Environment, execute } from "./process.ts";

/** A project of vitest.config.ts as a lane. */

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly Assertion[];
  }[];
}

interface Assertion {
  readonly status: string;
  readonly fullName: string;
  readonly ancestorTitles: readonly string[];
}

interface Run {
  readonly project: string;
  readonly options?: readonly string[];
  readonly environment: Environment;
  /** A folder for the report. */
  readonly scratch: string;
}

/** What a run of vitest comes to, and how many tests of which contract passed. */
export interface Outcome {
  readonly counts: Counts;
  /** Passed tests by the title of their contract suite, `object store contract: S3`. */
  readonly contracts: ReadonlyMap<string, number>;
}

export async function runVitest({ project, options = [], environment, scratch }: Run): Promise<Outcome> {
  const output = join(scratch, `${project}.json`);
  rmSync(output, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${output}`];
  const clean = await execute(
    "node_modules/.bin/vitest",
    ["run", "--project", project, ...options, ...reporters],
    { environment },
  );
  const report = readReport(output);
  if (report === null) return { counts: countOf(false), contracts: new Map() };
  const assertions = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const skipped = assertions.filter(({ status }) => ["skipped", "pending", "todo"].includes(status));
  for (const { fullName } of skipped) console.log(`skipped: ${fullName}`);
  // A suite that could not be loaded has no failed test, and is a failure all the same; so is an unhandled error.
  const failed = Math.max(report.numFailedTests, clean ? 0 : 1);
  return {
    counts: { passed: report.numPassedTests, failed, skipped: skipped.length },
    contracts: countContracts(assertions),
  };
}

function readReport(path: string): Report | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Report;
  } catch {
    return null;
  }
}

function countContracts(assertions: readonly Assertion[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { status, ancestorTitles } of assertions) {
    const [title = ""] = ancestorTitles;
    if (status === "passed" && / contract: /.test(title)) counts.set(title, (counts.get(title) ?? 0) + 1);
  }
  return counts;
}
