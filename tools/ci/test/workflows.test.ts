import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const paths: readonly string[] = globSync(".github/workflows/*.yml").toSorted();
const sources = new Map(paths.map((path) => [path, readFileSync(path, "utf8")]));
const workflows = [...sources].map(([path, text]) => ({ path, workflow: parse(text) as Workflow }));
const jobs = workflows.flatMap(({ path, workflow }) =>
  Object.entries(workflow.jobs).map(([name, job]) => ({ title: `${path}: ${name}`, job })),
);
const action = readFileSync(".github/actions/setup/action.yml", "utf8");
const steps = [
  ...jobs.flatMap(({ job }) => job.steps),
  ...(parse(action) as { runs: { steps: Step[] } }).runs.steps,
];
const commands = steps.map(({ run = "" }) => run).join("\n");

const tools = "tools/components/k8s-tools.sh";

/** What a tool has to say. @throws when it finds something */
function check(tool: string, ...parameters: string[]): string {
  const printed = execFileSync(tools, ["up", "actionlint", "shellcheck"], { encoding: "utf8" });
  const path = /^export PATH=(.*)$/m.exec(printed)?.[1]?.replace(/\\(.)/g, "$1");
  return execFileSync(tool, parameters, { env: { ...process.env, PATH: path }, encoding: "utf8" });
}

test("actionlint, with shellcheck on every command, has nothing to say", () => {
  expect(check("actionlint", "-no-color", ...paths)).toBe("");
});

test("shellcheck has nothing to say of our scripts", () => {
  expect(check("shellcheck", "-x", ...globSync("tools/**/*.sh"), ".ci/run")).toBe("");
});

test("actions are pinned by major version or commit", () => {
  const used = steps.flatMap(({ uses }) => uses ?? []).filter((uses) => !uses.startsWith("./"));
  expect(used.length).toBeGreaterThan(0);
  for (const uses of used) expect(uses).toMatch(/^[\w.-]+\/[\w./-]+@(v\d+|[0-9a-f]{40})$/);
});

test.each(workflows)("$path may do nothing but read, unless a job says otherwise", ({ workflow }) => {
  expect(workflow.permissions).toEqual({ contents: "read" });
});

test("only jobs that publish images may write, and only packages", () => {
  const writers = jobs.flatMap(({ title, job }) =>
    Object.entries(job.permissions ?? {})
      .filter(([, level]) => level === "write")
      .map(([scope]) => `${title} writes ${scope}`),
  );
  expect(writers).toEqual([
    ".github/workflows/production.yml: promote writes packages",
    ".github/workflows/staging.yml: end-to-end writes packages",
  ]);
});

test.each(jobs)("$title ends in time, and leaves no credentials in its checkout", ({ job }) => {
  expect(job["timeout-minutes"]).toBeGreaterThan(0);
  for (const { with: inputs } of job.steps.filter(({ uses }) => uses?.startsWith("actions/checkout@")))
    expect(inputs).toMatchObject({ "persist-credentials": false });
});

test("nothing that comes from outside is pasted into a command, secrets least of all", () => {
  expect(commands).not.toContain("${{");
  expect(commands).not.toMatch(/set -x|printenv|^\s*env\s*$/m);
});

const scripts = Object.keys(
  (JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> }).scripts,
);
const everything = [...sources.values()].join("\n");

test("every command of ours that is run exists", () => {
  const called = [...commands.matchAll(/\bpnpm (?:-s )?([\w:]+)/g)].map(([, name = ""]) => name);
  for (const name of called) expect([...scripts, "install"]).toContain(name);
});

test("every lane is run, and nothing else is taken for one", () => {
  const source = readFileSync("tools/test/run-lanes.ts", "utf8");
  const lanes = [...source.matchAll(/^\s+(?:\{ )?name: "([\w-]+)"/gm)].map(([, name = ""]) => name);
  const named = [...everything.matchAll(/lanes: ([\w -]+)|pnpm test ([a-z][\w-]*)/g)].flatMap(
    ([, listed = "", one = ""]) => `${listed} ${one}`.trim().split(" "),
  );
  expect(new Set(named)).toEqual(new Set(lanes));
});
