import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * `pnpm test`: every lane in turn, a table of what each did, and a last line that counts. `pnpm test unit e2e` runs only those. With CI=true a
 * skipped test counts as failed: there, everything a test needs must be present.
 */

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Lane {
  readonly name: string;
  readonly run: () => Counts;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

const scratch = mkdtempSync(join(tmpdir(), "flts-lanes-"));

const lanes: readonly Lane[] = [
  { name: "format", run: () => command("biome", "check", ".") },
  { name: "types", run: () => both(command("tsc", "-b"), () => command("tsc", "-p", "tsconfig.test.json")) },
  // After the types: it reads the declarations that they leave.
  { name: "lint", run: () => command("oxlint") },
  { name: "dead-code", run: () => command("knip") },
  { name: "unit", run: () => vitest("unit") },
  { name: "contract", run: () => vitest("contract") },
  { name: "parity", run: () => vitest("parity", "--no-file-parallelism") },
  // Each of these starts whole pipelines: two at once on two cores would measure each other.
  { name: "e2e", run: () => vitest("e2e", "--no-file-parallelism") },
  { name: "faults", run: () => vitest("faults", "--no-file-parallelism") },
];

function execute(program: string, parameters: readonly string[]): boolean {
  const { status } = spawnSync("pnpm", ["exec", program, ...parameters], { stdio: "inherit" });
  return status === 0;
}

function command(program: string, ...parameters: string[]): Counts {
  return execute(program, parameters)
    ? { passed: 1, failed: 0, skipped: 0 }
    : { passed: 0, failed: 1, skipped: 0 };
}

const both = (first: Counts, second: () => Counts): Counts => (first.failed > 0 ? first : second());

function vitest(project: string, ...options: string[]): Counts {
  const output = join(scratch, `${project}.json`);
  const clean = execute("vitest", [
    "run",
    "--project",
    project,
    ...options,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${output}`,
  ]);
  let report: VitestReport;
  try {
    report = JSON.parse(readFileSync(output, "utf8")) as VitestReport;
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const skipped = report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(
      ({ status }) => status === "skipped" || status === "pending" || status === "todo",
    ),
  );
  for (const { fullName } of skipped) console.log(`skipped: ${fullName}`);
  // A suite that could not be loaded has no failed test, and is a failure all the same; so is an unhandled error.
  const failed = Math.max(report.numFailedTests, clean ? 0 : 1);
  return { passed: report.numPassedTests, failed, skipped: skipped.length };
}

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !lanes.some((lane) => lane.name === name));
if (unknown.length > 0) {
  console.error(`no lane ${unknown.join(", ")}; there are ${lanes.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const rows = lanes
  .filter(({ name }) => chosen.length === 0 || chosen.includes(name))
  .map(({ name, run }) => {
    console.log(`\n── ${name} ${"─".repeat(60 - name.length)}`);
    const begun = performance.now();
    const counts = run();
    return { lane: name, ...counts, seconds: Number(((performance.now() - begun) / 1000).toFixed(1)) };
  });
rmSync(scratch, { recursive: true, force: true });

console.table(rows);
const total = (member: keyof Counts): number => rows.reduce((sum, row) => sum + row[member], 0);
const strict = process.env["CI"] === "true";
const failed = total("failed") + (strict ? total("skipped") : 0);
if (strict && total("skipped") > 0)
  console.log(`${total("skipped")} skipped tests count as failed where CI=true`);
console.log(`${total("passed")} passed, ${failed} failed, ${strict ? 0 : total("skipped")} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
