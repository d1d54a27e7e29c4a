import { execFileSync } from "node:child_process";

/** docker-compose.yml as `docker compose config` sees it: anchors and defaults resolved, every profile included. */
export interface Stack {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export interface Service {
  readonly image: string;
  readonly build?: {
    readonly context: string;
    readonly dockerfile?: string;
    readonly args?: Readonly<Record<string, string>>;
  };
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ports?: readonly {
    readonly published: string;
    readonly target: number;
    readonly host_ip: string;
  }[];
  readonly volumes?: readonly { readonly type: "bind" | "volume"; readonly source: string }[];
  readonly deploy?: { readonly replicas?: number };
  readonly read_only?: boolean;
}

const tools = "tools/components/k8s-tools.sh";

/** Reads it without a daemon, with the defaults of its variables. @throws when it is not valid */
export const readStack = (): Stack =>
  JSON.parse(
    execFileSync(tools, ["compose", "-format", "json", "-no-path-resolution", "docker-compose.yml"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    }),
  ) as Stack;
