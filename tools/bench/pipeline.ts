import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * `pnpm bench:pipeline [FAMILIES]`: seconds from two files to a served champion, every family on the embedded backends, and the most memory that any process of the tree
 * held. PobleSec where `FLTS_DATASET_DIR` is set (the reference took about 450 s for three families), made-up measurements otherwise.
 */
interface Summary {
  readonly dataset: string;
  readonly rows: { readonly train: number; readonly test: number };
  readonly families: readonly { readonly family: string; readonly seconds: number; readonly rmse: number }[];
  readonly promoted: { readonly family: string } | null;
  readonly seconds: Readonly<Record<string, number>>;
}

const SAMPLE_MS = 250;

const families = process.argv[2];
const home = mkdtempSync(join(tmpdir(), "flts-bench-pipeline-"));
const parameters = [
  "demo",
  "--json",
  "--home",
  home,
  ...(families === undefined ? [] : ["--families", families]),
];
const child = spawn(process.execPath, ["--conditions=source", "packages/cli/src/main.ts", ...parameters], {
  stdio: ["ignore", "pipe", "inherit"],
});
let output = "";
child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
  output += chunk;
});
const peaks = new Map<string, number>();
const sampler = setInterval(() => sampleMemory(child.pid ?? 0, peaks), SAMPLE_MS);
const code = await new Promise<number | null>((resolve) => {
  child.once("close", resolve);
});
clearInterval(sampler);
rmSync(home, { recursive: true, force: true });
if (code !== 0) process.exit(code ?? 1);

const summary = JSON.parse(output.trim().split("\n").at(-1) ?? "") as Summary;
console.log(
  JSON.stringify({
    name: "pipeline.total",
    data: summary.dataset,
    rows: summary.rows,
    seconds: summary.seconds["total"],
    stages: summary.seconds,
    families: Object.fromEntries(
      summary.families.map(({ family, seconds }) => [family, Number(seconds.toFixed(2))]),
    ),
    promoted: summary.promoted?.family ?? null,
  }),
);
for (const [name, bytes] of [...peaks].toSorted((a, b) => b[1] - a[1]))
  console.log(
    JSON.stringify({ name: "pipeline.memory", process: name, peakMiB: Math.round(bytes / 2 ** 20) }),
  );

/** The highest resident size so far of each process below `root`, by what it runs. Linux only: elsewhere there is no `/proc`, and nothing is said. */
function sampleMemory(root: number, into: Map<string, number>): void {
  for (const pid of descendantsOf(root)) {
    try {
      const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      const family = /MODEL_TYPE=([A-Z]+)/.exec(readFileSync(`/proc/${pid}/environ`, "utf8"))?.[1];
      const module =
        command
          .findLast((part) => part.endsWith(".ts"))
          ?.split("/")
          .slice(-3)
          .join("/") ?? "node";
      const name = family === undefined ? module : `${module} ${family}`;
      into.set(name, Math.max(into.get(name) ?? 0, Number(peak ?? 0) * 1024));
    } catch {
      // It has ended meanwhile.
    }
  }
}

function descendantsOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of safely(() => readdirSync("/proc")) ?? []) {
    const parent = safely(() => /PPid:\s+(\d+)/.exec(readFileSync(`/proc/${entry}/status`, "utf8"))?.[1]);
    if (/^\d+$/.test(entry) && parent !== undefined) parents.set(Number(entry), Number(parent));
  }
  const isBelow = (pid: number): boolean => {
    for (let parent = parents.get(pid); parent !== undefined && parent > 0; parent = parents.get(parent))
      if (parent === root) return true;
    return false;
  };
  return [root, ...[...parents.keys()].filter(isBelow)];
}

function safely<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
