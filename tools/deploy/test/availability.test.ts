import { expect, test } from "vitest";
import { installations } from "../helm.ts";
import { type Container, containersOf, type Probe } from "../manifests.ts";
import { deployed, oneNode } from "./rendered.ts";

/** What answers there, by image: our services as `probes.ts`, `http.ts` and inference's `operator-routes.ts` have it. */
const answering: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "flts/inference": { metrics: ["/healthz", "/readyz"], http: ["/healthz", "/readyz", "/ready"] },
  "flts/mlflow": { http: ["/health"] },
  "flts/locust": { web: ["/"] },
  "minio/minio": { api: ["/minio/health/live", "/minio/health/ready"] },
  "prom/prometheus": { web: ["/-/ready", "/-/healthy"] },
  "prom/alertmanager": { web: ["/-/ready", "/-/healthy"] },
  "grafana/grafana": { web: ["/api/health"] },
};
const ofEveryService = { metrics: ["/healthz", "/readyz"] };

const probesOf = (container: Container): readonly Probe[] =>
  [container.startupProbe, container.livenessProbe, container.readinessProbe].filter(
    (probe) => probe !== undefined,
  );

test.each(installations)("%s: every probe asks a path that exists on a port that is open", (installation) => {
  for (const pods of deployed({ installation }).pods)
    for (const container of containersOf(pods))
      for (const { httpGet } of probesOf(container)) {
        if (httpGet === undefined) continue;
        const paths = answering[container.image.replace(/:[^:]*$/, "")] ?? ofEveryService;
        const where = `${pods.owner.metadata.name}: ${httpGet.port}${httpGet.path}`;
        expect(paths[httpGet.port as keyof typeof paths], where).toContain(httpGet.path);
        expect(
          container.ports?.map(({ name }) => name),
          where,
        ).toContain(httpGet.port);
      }
});

test.each(installations)("%s: what runs for ever has all three probes", (installation) => {
  const bare = ["locust-worker"]; // It opens no port.
  const optionalStart = ["alertmanager"]; // It starts in a second.
  for (const { owner, spec } of deployed({ installation }).pods) {
    const { name } = owner.metadata;
    if (!["Deployment", "StatefulSet"].includes(owner.kind) || bare.includes(name)) continue;
    for (const container of spec.containers)
      expect(probesOf(container), name).toHaveLength(optionalStart.includes(name) ? 2 : 3);
  }
});

test.each(installations)("%s: a pod is killed only after it had time to stop", (installation) => {
  for (const { owner, spec } of deployed({ installation }).pods)
    for (const { env = [], lifecycle } of spec.containers) {
      const timeout = env.find(({ name }) => name === "SHUTDOWN_TIMEOUT_MS")?.value;
      if (timeout === undefined) continue;
      const seconds = Number(timeout) / 1000 + (lifecycle?.preStop.sleep.seconds ?? 0);
      expect(spec.terminationGracePeriodSeconds, owner.metadata.name).toBeGreaterThan(seconds);
    }
});

test("the autoscaler of inference is the reference's", () => {
  const { spec } = oneNode().one("HorizontalPodAutoscaler", "inference");
  expect(spec).toEqual({
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "inference" },
    minReplicas: 2,
    maxReplicas: 20,
    metrics: [
      {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } },
      },
    ],
    behavior: {
      scaleUp: {
        stabilizationWindowSeconds: 0,
        policies: [{ type: "Pods", value: 4, periodSeconds: 15 }],
      },
      scaleDown: {
        stabilizationWindowSeconds: 60,
        policies: [{ type: "Pods", value: 1, periodSeconds: 60 }],
      },
    },
  });
  // A number beside an autoscaler would undo its work at every apply.
  expect(oneNode().one("Deployment", "inference").spec).not.toHaveProperty("replicas");
});

test("it can look at requests in hand, too", () => {
  const { one } = deployed({ set: ["workloads.inference.autoscaling.inFlight=10"] });
  const metrics = one("HorizontalPodAutoscaler", "inference").spec?.["metrics"];
  expect(metrics).toContainEqual({
    type: "Pods",
    pods: {
      metric: { name: "http_requests_in_flight" },
      target: { type: "AverageValue", averageValue: "10" },
    },
  });
});

test("a rolling update of what has clients takes no replica away before there is another", () => {
  for (const name of ["inference", "gateway"])
    expect(oneNode().one("Deployment", name).spec).toMatchObject({
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    });
});

test.each(installations)("%s: inference loses one replica at a time, and spreads them", (installation) => {
  const { one, podsOf } = deployed({ installation });
  expect(one("PodDisruptionBudget", "inference").spec).toMatchObject({ maxUnavailable: 1 });
  expect(podsOf("inference").spec).toHaveProperty("topologySpreadConstraints");
});

test("three brokers know each other, and keep a copy each", () => {
  const { one, podsOf } = deployed({ installation: "production" });
  expect(one("PodDisruptionBudget", "kafka").spec).toMatchObject({ maxUnavailable: 1 });
  const environment = podsOf("kafka").spec.containers[0]?.env;
  expect(environment).toContainEqual({
    name: "KAFKA_CONTROLLER_QUORUM_VOTERS",
    value: [0, 1, 2].map((index) => `${index}@kafka-${index}.kafka.flts.svc:9093`).join(","),
  });
  expect(environment).toContainEqual({ name: "KAFKA_DEFAULT_REPLICATION_FACTOR", value: "3" });
});
