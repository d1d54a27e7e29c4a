import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./helm.ts";

const folder = join(repository, "helm", "flts");

/** README.md of the chart: its introduction, and a row for each value that values.yaml explains. */
export function chartReadme(): string {
  const introduction = readFileSync(join(folder, "README.head.md"), "utf8").trimEnd();
  const rows = explainedValues(readFileSync(join(folder, "values.yaml"), "utf8")).map(
    ({ path, given, meaning }) => `| \`${path}\` | \`${given}\` | ${meaning} |`,
  );
  return [introduction, "", "| value | default | meaning |", "| --- | --- | --- |", ...rows, ""].join("\n");
}

export interface ExplainedValue {
  /** As `--set` takes it. */
  readonly path: string;
  readonly given: string;
  readonly meaning: string;
}

/** The values with a comment `# -- …` above them. */
export function explainedValues(yaml: string): readonly ExplainedValue[] {
  const found: ExplainedValue[] = [];
  const path: { readonly indent: number; readonly key: string }[] = [];
  let meaning = "";
  for (const line of yaml.split("\n")) {
    const comment = /^\s*# -- (.*)$/.exec(line)?.[1];
    if (comment !== undefined) meaning = comment;
    const [, blanks, key, given] = /^(\s*)([\w-]+):\s*(.*)$/.exec(line) ?? [];
    if (blanks === undefined || key === undefined || given === undefined) continue;
    while ((path.at(-1)?.indent ?? -1) >= blanks.length) path.pop();
    path.push({ indent: blanks.length, key });
    if (meaning !== "") found.push({ path: path.map((step) => step.key).join("."), given, meaning });
    meaning = "";
  }
  return found;
}
