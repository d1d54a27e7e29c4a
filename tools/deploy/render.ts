import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chartReadme } from "./chart-readme.ts";
import { repository } from "./helm.ts";
import { plainManifests } from "./plain-manifests.ts";

/** `pnpm render`: writes k8s/ and the chart's README from the chart; `--check` only says which files are stale, with exit code 1. */
const wanted = new Map([["helm/flts/README.md", chartReadme()]]);
for (const [name, text] of plainManifests()) wanted.set(`k8s/${name}`, text);

const present = existsSync(join(repository, "k8s")) ? readdirSync(join(repository, "k8s")) : [];
const surplus = present.map((name) => `k8s/${name}`).filter((path) => !wanted.has(path));
const stale = [...wanted].filter(([path, text]) => textOf(path) !== text).map(([path]) => path);

if (process.argv.includes("--check")) {
  for (const path of [...stale, ...surplus]) console.error(`${path} is stale: run pnpm render`);
  process.exitCode = stale.length + surplus.length > 0 ? 1 : 0;
} else {
  mkdirSync(join(repository, "k8s"), { recursive: true });
  for (const path of surplus) rmSync(join(repository, path));
  for (const path of stale) writeFileSync(join(repository, path), wanted.get(path) ?? "");
  console.log(`${stale.length} written, ${surplus.length} removed, ${wanted.size} in all`);
}

function textOf(path: string): string | null {
  const file = join(repository, path);
  return existsSync(file) ? readFileSync(file, "utf8") : null;
}
