import { type Rendered, renderOrThrow } from "./helm.ts";
import { type Manifest, parseManifests } from "./manifests.ts";

/** What each file says at its top. */
const HEADER =
  "# Rendered from helm/flts with values-one-node.yaml by `pnpm render`; changes belong there.\n";

/** The manifests of `kubectl apply -f k8s/`, by file name: the chart for one node, a file for each part. */
export function plainManifests(): ReadonlyMap<string, string> {
  const manifests: Rendered["manifests"] = renderOrThrow({
    installation: "one-node",
    set: ["global.plain=true"],
  });
  const files = new Map<string, string>();
  for (const text of manifests.split(/^---$/m)) {
    const template = /^# Source: flts\/templates\/(.*)\.yaml$/m.exec(text)?.[1];
    const [manifest] = parseManifests(text);
    if (template === undefined || manifest === undefined) continue;
    const file = fileOf(template, manifest);
    files.set(file, `${files.get(file) ?? HEADER}---\n${tidy(text)}`);
  }
  return new Map([...files].toSorted(([one], [other]) => one.localeCompare(other)));
}

/** `kubectl` applies files in the order of their names: the namespace first. */
function fileOf(template: string, { metadata, spec }: Manifest): string {
  switch (template) {
    case "base":
      return "00-namespace.yaml";
    case "network-policies":
      return "01-network-policies.yaml";
    case "workloads":
      return `${selected(spec) ?? metadata.name}.yaml`;
    case "jobs":
      return `${metadata.name}.yaml`;
    case "monitoring":
      return `${metadata.labels?.["app.kubernetes.io/name"]?.replace(/-rules$/, "") ?? metadata.name}.yaml`;
    default:
      return `${template}.yaml`;
  }
}

/** The part whose pods an object is about. */
function selected(spec: Manifest["spec"]): string | undefined {
  const selector = (spec?.["selector"] ?? {}) as Readonly<Record<string, unknown>>;
  const labels = (selector["matchLabels"] ?? selector) as Readonly<Record<string, string>>;
  return labels["app.kubernetes.io/name"];
}

/** Without the lines that templates leave empty, and without helm's remark where it came from. */
const tidy = (text: string): string =>
  `${text
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("# Source: "))
    .join("\n")}\n`;
