import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../..", import.meta.url));
const tools = join(repository, "tools", "components", "k8s-tools.sh");

/** The values files beside the chart's own: what `-f` takes. */
export const installations = ["one-node", "development", "staging", "production"] as const;
export type Installation = (typeof installations)[number];

export interface Rendering {
  readonly installation?: Installation;
  /** `--set-json` each, such as `kafka.enabled=false`. */
  readonly set?: readonly string[];
  /** As `helm upgrade` renders it, not `helm install`. */
  readonly isUpgrade?: boolean;
  /** Kinds that the cluster knows beside Kubernetes' own. */
  readonly apiVersions?: readonly string[];
}

/** What helm said: the manifests, or the fault. */
export interface Rendered {
  readonly ok: boolean;
  readonly manifests: string;
  readonly fault: string;
}

/** Renders the chart as release `flts` in namespace `flts`, without its tests. */
export function render({ installation, set = [], isUpgrade = false, apiVersions = [] }: Rendering): Rendered {
  const { status, stdout, stderr } = spawnSync(
    helm(),
    [
      "template",
      "flts",
      "helm/flts",
      "--namespace=flts",
      "--skip-tests",
      ...(installation === undefined ? [] : ["-f", `helm/flts/values-${installation}.yaml`]),
      ...set.flatMap((assignment) => ["--set-json", assignment]),
      ...(isUpgrade ? ["--is-upgrade"] : []),
      ...apiVersions.flatMap((version) => ["--api-versions", version]),
    ],
    { cwd: repository, encoding: "utf8", maxBuffer: 64 * 1024 ** 2 },
  );
  return { ok: status === 0, manifests: stdout, fault: stderr };
}

/** @throws what helm says of a chart or values that do not render */
export function renderOrThrow(rendering: Rendering): string {
  const { ok, manifests, fault } = render(rendering);
  if (!ok) throw new Error(fault);
  return manifests;
}

/** helm's findings about the chart with these values; empty when there are none. */
export function lint(installation: Installation): string {
  const { status, stdout, stderr } = spawnSync(
    helm(),
    ["lint", "--strict", "helm/flts", "-f", `helm/flts/values-${installation}.yaml`],
    { cwd: repository, encoding: "utf8" },
  );
  return status === 0 ? "" : `${stdout}${stderr}`;
}

/** kubeconform's findings about manifests, for a version of Kubernetes; empty when there are none. */
export function validate(manifests: string, kubernetesVersion: string): string {
  const { status, stdout, stderr } = spawnSync(tools, ["validate", "-"], {
    cwd: repository,
    env: { ...process.env, FLTS_KUBERNETES_VERSION: kubernetesVersion },
    input: manifests,
    encoding: "utf8",
  });
  return status === 0 ? "" : `${stdout}${stderr}`;
}

let found: string | undefined;

/** The pinned helm; built when it is not there yet, which takes minutes. */
function helm(): string {
  if (found === undefined) {
    const exports = execFileSync(tools, ["up", "helm"], { encoding: "utf8" });
    const folder = /^export PATH=([^:]*):/m.exec(exports)?.[1];
    if (folder === undefined) throw new Error(`k8s-tools.sh names no folder: ${exports}`);
    found = join(folder, "helm");
  }
  return found;
}
