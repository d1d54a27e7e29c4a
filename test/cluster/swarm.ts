import { z } from "zod";
import { type Forwarded, forward } from "./forward.ts";
import { kubectl } from "./kubectl.ts";

/** The swarm that the manifests bring, by its web page. */
export interface Swarm {
  /** Its web page. */
  readonly url: string;
  /** Begins, and counts from when all users are there. */
  start(users: number): Promise<void>;
  /** What was counted since. */
  counts(): Promise<Counts>;
  /** Ends the run. @returns what it came to */
  stop(): Promise<Counts>;
  close(): void;
}

export interface Counts {
  readonly requests: number;
  readonly failures: number;
  readonly perSecond: number;
  readonly p95Ms: number;
  readonly errors: readonly string[];
}

const report = z.object({
  state: z.string(),
  workers: z.array(z.object({ state: z.string() })).default([]),
  stats: z.array(
    z.looseObject({
      name: z.string(),
      num_requests: z.number(),
      num_failures: z.number(),
      total_rps: z.number(),
      "response_time_percentile_0.95": z.number().nullable(),
    }),
  ),
  errors: z.array(z.object({ name: z.string(), error: z.string(), occurrences: z.number() })),
});

/** @param settings variables of locustfile.py, which are set on master and workers */
export async function openSwarm(settings: Readonly<Record<string, string>>, workers: number): Promise<Swarm> {
  const deployments = ["deployment/locust-master", "deployment/locust-worker"];
  await kubectl(["set", "env", ...deployments, ...Object.entries(settings).map((pair) => pair.join("="))]);
  await kubectl(["scale", "deployment/locust-worker", `--replicas=${workers}`]);
  for (const deployment of deployments) await kubectl(["rollout", "status", deployment, "--timeout=120s"]);
  const master = await forward("service/locust-master", 8089);
  return { ...swarmAt(master, workers), url: master.url, close: () => master.close() };
}

function swarmAt({ url }: Forwarded, workers: number): Pick<Swarm, "start" | "counts" | "stop"> {
  const look = async () => report.parse(await (await fetch(`${url}/stats/requests`)).json());
  const until = async (is: (seen: Awaited<ReturnType<typeof look>>) => boolean): Promise<void> => {
    const deadline = performance.now() + 90_000;
    for (let seen = await look(); !is(seen); seen = await look()) {
      if (performance.now() > deadline) throw new Error(`the swarm is ${JSON.stringify(seen).slice(0, 300)}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  };
  const counts = async (): Promise<Counts> => {
    const { stats, errors } = await look();
    const total = stats.find(({ name }) => name === "Aggregated");
    return {
      requests: total?.num_requests ?? 0,
      failures: total?.num_failures ?? 0,
      perSecond: total?.total_rps ?? 0,
      p95Ms: total?.["response_time_percentile_0.95"] ?? 0,
      errors: errors.map(({ name, error, occurrences }) => `${occurrences} × ${name}: ${error}`),
    };
  };
  return {
    counts,
    async start(users) {
      await until((seen) => seen.workers.filter(({ state }) => state !== "missing").length === workers);
      const form = new URLSearchParams({
        user_count: `${users}`,
        spawn_rate: "20",
        host: "http://inference-lb",
      });
      await fetch(`${url}/swarm`, { method: "POST", body: form });
      await until(({ state }) => state === "running");
      await fetch(`${url}/stats/reset`, { method: "POST" });
    },
    async stop() {
      const counted = await counts();
      await fetch(`${url}/stop`);
      return counted;
    },
  };
}
