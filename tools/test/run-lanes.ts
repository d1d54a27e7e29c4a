import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Counts, countOf, sumOf } from "./counts.ts";
import { type Environment, execute, isStopping } from "./process.ts";
import {
  howToStart,
  installServers,
  missingServers,
  type S3Backend,
  serverVariables,
  withoutServers,
  withServers,
} from "./servers.ts";
import { runVitest } from "./vitest-lane.ts";

/**
 * `pnpm test`: every lane in turn, a table of what each did, and a last line that counts. `pnpm test unit e2e` runs only those. With CI=true a
 * skipped test counts as failed: there, everything a test needs must be present. Lanes on real servers take those that the environment names, or start
 * some of their own.
 */

interface Lane {
  readonly name: string;
  readonly run: () => Promise<Counts>;
  /** Whether it needs Kafka, S3 and MLflow. */
  readonly onServers?: boolean;
}

const serially = "--no-file-parallelism";
const lanes: readonly Lane[] = [
  { name: "format", run: () => command("biome", "check", ".") },
  {
    name: "types",
    run: async () => {
      const built = await command("tsc", "-b");
      return built.failed > 0 ? built : command("tsc", "-p", "tsconfig.test.json");
    },
  },
  // After the types: it reads the declarations that they leave.
  { name: "lint", run: () => command("oxlint") },
  { name: "dead-code", run: () => command("knip") },
  { name: "unit", run: () => vitest("unit") },
  { name: "deploy", run: () => vitest("deploy") },
  { name: "contract", run: () => vitest("contract") },
  { name: "parity", run: () => vitest("parity", serially) },
  // Each of these starts whole pipelines: two at once on two cores would measure each other.
  { name: "e2e", run: () => vitest("e2e", serially) },
  { name: "locust", run: () => vitest("locust") },
  { name: "faults", run: () => vitest("faults", serially) },
  {
    name: "components",
    onServers: true,
    run: async () => {
      const all = await onServers("minio", ["kafka", "s3", "mlflow"], (environment) =>
        vitestOn(environment, "minio", "components", serially),
      );
      if (given) return all;
      const s3 = await onServers("versitygw", ["s3"], (environment) =>
        vitestOn(environment, "versitygw", "components", serially, "packages/backends/test/s3"),
      );
      return sumOf([all, s3]);
    },
  },
  {
    name: "e2e-servers",
    onServers: true,
    run: () =>
      onServers("minio", ["kafka", "s3", "mlflow"], (environment) =>
        vitestOn(environment, "minio", "e2e-servers", serially),
      ),
  },
  {
    // After each kind of operation once; FLTS_FAULTS=full: before and after, with long outages.
    name: "faults-servers",
    onServers: true,
    run: () =>
      onServers("minio", ["kafka", "s3", "mlflow"], (environment) =>
        vitestOn(environment, "minio", "faults-servers", serially),
      ),
  },
];

const missing = missingServers(process.env);
const given = missing.length === 0;
/** Tests that an adapter passed, by contract and adapter. */
const contracts = new Map<string, number>();
/** What failed in which lane: said again at the end, where it is looked for. */
const failures: string[] = [];

const command = async (program: string, ...parameters: string[]): Promise<Counts> =>
  countOf(await execute(`node_modules/.bin/${program}`, parameters));

function vitest(project: string, ...options: string[]): Promise<Counts> {
  return vitestOn(withoutServers(process.env), null, project, ...options);
}

async function vitestOn(
  environment: Environment,
  s3: S3Backend | null,
  project: string,
  ...options: string[]
): Promise<Counts> {
  const outcome = await runVitest({ project, options, environment, scratch });
  failures.push(...outcome.failures.map((failure) => `${project}: ${failure}`));
  for (const [title, count] of outcome.contracts) {
    const label = title.endsWith(": S3") && s3 !== null && !given ? `${title} (${s3})` : title;
    contracts.set(label, (contracts.get(label) ?? 0) + count);
  }
  return outcome.counts;
}

/** Runs on the servers that the environment names, else on some that live as long as the run. */
async function onServers(
  s3: S3Backend,
  names: readonly string[],
  run: (environment: Environment) => Promise<Counts>,
): Promise<Counts> {
  if (given) return run(process.env);
  if (!(await installed)) {
    console.error(readFileSync(installLog, "utf8").split("\n").slice(-30).join("\n"));
    return countOf(false);
  }
  return (await withServers({ names, s3 }, scratch, run)) ?? countOf(false);
}

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !lanes.some((lane) => lane.name === name));
if (unknown.length > 0) {
  console.error(`no lane ${unknown.join(", ")}; there are ${lanes.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
const toRun = lanes.filter(({ name }) => chosen.length === 0 || chosen.includes(name));
const needServers = toRun.some((lane) => lane.onServers === true);
if (needServers && !given && missing.length < serverVariables.length) {
  console.error(`${missing.join(", ")} not set, but the others are: ${howToStart}, or unset them all`);
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), "flts-lanes-"));
// Building a server takes minutes, once: it begins at once, behind the lanes that need none.
const installLog = join(scratch, "install.log");
const installed = needServers && !given ? installServers(installLog) : Promise.resolve(true);

const rows: (Counts & { readonly lane: string; readonly seconds: number })[] = [];
for (const { name, run } of toRun) {
  if (isStopping()) break;
  console.log(`\n── ${name} ${"─".repeat(60 - name.length)}`);
  const begun = performance.now();
  const counts = await run();
  rows.push({ lane: name, ...counts, seconds: Number(((performance.now() - begun) / 1000).toFixed(1)) });
}
await installed;
rmSync(scratch, { recursive: true, force: true });

if (contracts.size > 0) console.table([...contracts].map(([adapter, tests]) => ({ adapter, tests })));
console.table(rows);
for (const failure of failures) console.log(`failed: ${failure}\n`);
const total = sumOf(rows);
const strict = process.env["CI"] === "true";
const failed = total.failed + (strict ? total.skipped : 0);
if (strict && total.skipped > 0) console.log(`${total.skipped} skipped tests count as failed where CI=true`);
console.log(`${total.passed} passed, ${failed} failed, ${strict ? 0 : total.skipped} skipped`);
process.exitCode = isStopping() ? 130 : failed > 0 ? 1 : 0;
