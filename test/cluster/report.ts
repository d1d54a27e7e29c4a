import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../tools/deploy/helm.ts";

export const reportFolder = join(repository, "reports", "cluster");

/** Keeps what was measured, below reports/cluster, and prints it as one line. */
export function note(name: string, measured: Readonly<Record<string, unknown>>): void {
  const line = JSON.stringify({ name, ...measured });
  console.log(line);
  mkdirSync(reportFolder, { recursive: true });
  writeFileSync(join(reportFolder, `${name.replaceAll(/\W+/g, "-")}.json`), `${line}\n`);
}
