import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openReplicas, predict } from "./forecasts.ts";
import { through } from "./forward.ts";
import { installed, untilAllDone } from "./installation.ts";
import { kill, kubectl, namespace, run } from "./kubectl.ts";
import { isReady, nameOf, podsOf, restartsOf } from "./pods.ts";
import { order, promotionsOf, scoreboardOf } from "./promotions.ts";
import { note } from "./report.ts";
import { openSwarm, type Swarm } from "./swarm.ts";

/** What happens to a cluster's pods in their lives, while clients ask: no request fails, and nobody has to mend anything. */

let swarm: Swarm;

beforeAll(async () => {
  await installed();
  swarm = await openSwarm(
    {
      PREDICT_USER_WAIT_MIN: "0.2",
      PREDICT_USER_WAIT_MAX: "0.4",
      LOCUST_WEIGHTS: "predict=80,healthz=10,predict_bad_input=5",
    },
    2,
  );
}, 900_000);

afterAll(() => swarm?.close());

/** Puts inference under load, disrupts something, and goes on until every pod is ready again, and for some hundred requests more. */
async function expectNoFailureWhile(name: string, disrupt: () => Promise<unknown>): Promise<void> {
  await swarm.start(20);
  const begun = performance.now();
  try {
    await untilRequests(500);
    const disrupted = performance.now();
    await disrupt();
    await untilAllDone(300_000);
    const recoveredSeconds = (performance.now() - disrupted) / 1000;
    await untilRequests((await swarm.counts()).requests + 500);
    const counts = await swarm.counts();
    note(name, { recoveredSeconds, seconds: (performance.now() - begun) / 1000, ...counts });
    expect(counts.errors).toEqual([]);
    expect(counts.failures).toBe(0);
  } finally {
    await swarm.stop();
  }
}

const untilRequests = (count: number): Promise<boolean> =>
  vi.waitUntil(async () => (await swarm.counts()).requests >= count, { timeout: 120_000, interval: 500 });

test("a rolling update of inference loses no request", () =>
  expectNoFailureWhile("rolling update", async () => {
    await kubectl(["rollout", "restart", "deployment/inference"]);
    await kubectl(["rollout", "status", "deployment/inference", "--timeout=240s"]);
  }));

test("an evicted replica loses no request, and the budget lets no second one go meanwhile", () =>
  expectNoFailureWhile("eviction", async () => {
    const [first, second] = (await podsOf("app=inference")).filter(isReady).map(nameOf);
    await evict(first ?? "");
    await expect(evict(second ?? "")).rejects.toThrow(/disruption budget/);
  }));

test.each([
  { server: "Kafka", selector: "app=kafka" },
  { server: "MinIO", selector: "app=minio" },
  { server: "MLflow", selector: "app=mlflow" },
  { server: "eval", selector: "app=eval" },
])("$server, killed, loses no request and comes back by itself", ({ server, selector }) =>
  expectNoFailureWhile(`killed ${server}`, async () => {
    await kill(...(await podsOf(selector)).map(nameOf));
    await vi.waitUntil(async () => (await podsOf(selector)).length > 0, { timeout: 60_000, interval: 200 });
  }),
);

test("after all that no other pod was restarted, and a promotion by hand reaches every replica", async () => {
  expect((await podsOf()).filter((pod) => restartsOf(pod) > 0).map(nameOf)).toEqual([]);
  const [champion] = await promotionsOf();
  const scoreboard = (await scoreboardOf(champion?.round ?? "")) ?? [];
  const other = scoreboard.find(({ run_id }) => run_id !== champion?.run_id)?.run_id ?? "";
  const replicas = await openReplicas();
  const served = (): Promise<readonly string[]> =>
    Promise.all(replicas.map(async ({ url }) => (await predict(url)).run_id));
  try {
    await through("service/eval", 8050, (url) => order(url, "/promote", { runId: other, force: true }));
    await expect.poll(served, { timeout: 30_000, interval: 100 }).toEqual(replicas.map(() => other));
  } finally {
    for (const replica of replicas) replica.close();
  }
});

/** As a drained node asks for it: the disruption budget may refuse. */
const evict = (pod: string): Promise<string> =>
  run(
    "kubectl",
    ["create", "--raw", `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`, "--filename=-"],
    {
      input: JSON.stringify({
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { name: pod, namespace },
      }),
    },
  );
