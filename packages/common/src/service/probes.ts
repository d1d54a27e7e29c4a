import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";

/** One thing a process needs to be ready. It has it unless the check says false, throws, or does not answer in time. */
export type ComponentCheck = () => boolean | Promise<boolean | void>;

export interface Readiness {
  readonly status: "ready" | "not_ready";
  readonly components: Readonly<Record<string, boolean>>;
}

/** The state behind `/healthz` and `/readyz`, on whichever port they are asked. */
export interface Probes {
  /** Names a component; each is asked anew at every probe. */
  addComponent(name: string, check: ComponentCheck): void;
  /** Names a component that is shown but not needed: a process that can do without it for a while stays ready. */
  showComponent(name: string, check: ComponentCheck): void;
  readiness(): Promise<Readiness>;
  /** From now on not ready, whatever the components say: the process is stopping. */
  drain(): void;
}

/** A check that does not answer in time counts as failed. */
const CHECK_TIMEOUT_MS = 2_000;

export function createProbes(): Probes {
  const checks = new Map<string, ComponentCheck>();
  const needed = new Set<string>();
  let draining = false;
  return {
    addComponent(name, check) {
      checks.set(name, check);
      needed.add(name);
    },
    showComponent: (name, check) => void checks.set(name, check),
    drain: () => {
      draining = true;
    },
    async readiness() {
      const entries = await Promise.all(
        [...checks].map(async ([name, check]) => [name, await answersInTime(check)] as const),
      );
      const ready = !draining && entries.every(([name, up]) => up || !needed.has(name));
      return { status: ready ? "ready" : "not_ready", components: Object.fromEntries(entries) };
    },
  };
}

async function answersInTime(check: ComponentCheck): Promise<boolean> {
  const timeout = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  const late = new Promise<boolean>((resolve) => {
    timeout.addEventListener("abort", () => resolve(false), { once: true });
  });
  try {
    return (await Promise.race([check(), late])) !== false;
  } catch {
    return false;
  }
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves `/metrics`, `/healthz` and `/readyz`; port 0 takes any free one. */
export async function serveMetrics(
  port: number,
  host: string,
  registry: Registry,
  probes: Probes,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    void respond(request.url ?? "/", response, registry, probes);
  });
  await listen(server, port, host);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(
  url: string,
  response: ServerResponse,
  registry: Registry,
  probes: Probes,
): Promise<void> {
  const { status, type, body } = await answer(url, registry, probes).catch(failure);
  response.writeHead(status, { "content-type": type }).end(body);
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const json = (status: number, body: unknown): Answer => ({
  status,
  type: "application/json",
  body: JSON.stringify(body),
});

/** A request must not end the process, whatever it asks for: nobody else would catch what is thrown here. */
const failure = (error: unknown): Answer =>
  json(500, { detail: error instanceof Error ? error.message : String(error) });

async function answer(url: string, registry: Registry, probes: Probes): Promise<Answer> {
  const path = url.replace(/\?.*/s, "");
  switch (path) {
    case "/metrics":
      return { status: 200, type: registry.contentType, body: await registry.metrics() };
    case "/healthz":
      return json(200, { status: "ok" });
    case "/readyz": {
      const readiness = await probes.readiness();
      return json(readiness.status === "ready" ? 200 : 503, readiness);
    }
    default:
      return json(404, { detail: "not found" });
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}
