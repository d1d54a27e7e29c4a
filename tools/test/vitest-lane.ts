import { readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { type Counts, countOf } from "./counts.ts";
import { type Environment, execute } from "./process.ts";

/** A project of vitest.config.ts as a lane. */

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly TestFile[];
}

interface TestFile {
  readonly name: string;
  readonly status: string;
  /** Why the file could not be loaded. */
  readonly message?: string;
  readonly assertionResults: readonly Assertion[];
}

interface Assertion {
  readonly status: string;
  readonly fullName: string;
  readonly failureMessages?: readonly string[];
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
  /** One text for each failure: file, test and the beginning of what it said. */
  readonly failures: readonly string[];
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
  if (report === null)
    return { counts: countOf(false), contracts: new Map(), failures: ["no report was written"] };
  const assertions = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const skipped = assertions.filter(({ status }) => ["skipped", "pending", "todo"].includes(status));
  for (const { fullName } of skipped) console.log(`skipped: ${fullName}`);
  // A suite that could not be loaded has no failed test, and is a failure all the same; so is an unhandled error.
  const failed = Math.max(report.numFailedTests, clean ? 0 : 1);
  return {
    counts: { passed: report.numPassedTests, failed, skipped: skipped.length },
    contracts: countContracts(assertions),
    failures: report.testResults.flatMap(failuresOf),
  };
}

function readReport(path: string): Report | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Report;
  } catch {
    return null;
  }
}

const MESSAGE_LINES = 12;

function failuresOf({ name, status, message = "", assertionResults }: TestFile): string[] {
  const file = relative(process.cwd(), name);
  const failed = assertionResults.filter((assertion) => assertion.status === "failed");
  if (failed.length === 0) return status === "failed" ? [`${file}\n${beginning(message)}`] : [];
  return failed.map(
    ({ fullName, failureMessages = [] }) => `${file} > ${fullName}\n${beginning(failureMessages.join("\n"))}`,
  );
}

function beginning(message: string): string {
  const ours = message.split("\n").filter((line) => !line.includes("node_modules"));
  return ours.slice(0, MESSAGE_LINES).join("\n");
}

function countContracts(assertions: readonly Assertion[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { status, ancestorTitles } of assertions) {
    const [title = ""] = ancestorTitles;
    if (status === "passed" && / contract: /.test(title)) counts.set(title, (counts.get(title) ?? 0) + 1);
  }
  return counts;
}
