import { buckets } from "@flts/common/contracts/layout";
import { pipelineTopics } from "@flts/common/stage/topics";
import { expect, test } from "vitest";
import { deployed, oneNode } from "./rendered.ts";

test.each([
  ["StatefulSet", "kafka"],
  ["Deployment", "minio"],
  ["StatefulSet", "mlflow-postgres"],
  ["Deployment", "mlflow"],
  ["Deployment", "gateway"],
  ["Deployment", "eval"],
  ["Deployment", "inference"],
  ["Deployment", "locust-master"],
  ["Deployment", "locust-worker"],
  ["Job", "minio-init"],
  ["Job", "preprocess"],
  ["Job", "dataset-seed"],
  ["HorizontalPodAutoscaler", "inference"],
  ["Service", "fastapi-app"],
  ["Service", "inference"],
])("%s %s has the name that commands use", (kind, name) => {
  expect(oneNode().one(kind, name).metadata.namespace).toBe("flts");
});

test("the old name of the gateway leads to the same pods", () => {
  const [old, present] = ["fastapi-app", "gateway"].map((name) => oneNode().one("Service", name).spec);
  expect(old?.["selector"]).toEqual(present?.["selector"]);
});

test("the load balancer answers on port 80", () => {
  expect(oneNode().one("Service", "inference-lb").spec).toMatchObject({
    type: "LoadBalancer",
    ports: [{ port: 80, targetPort: "http" }],
  });
});

test.each([
  ["minio", [30900, 30901]],
  ["mlflow", [30500]],
  ["locust-master", [30089]],
  ["gateway", [30800]],
] as const)("%s is on the node's ports %j", (name, ports) => {
  const { spec } = oneNode().one("Service", name);
  expect(spec?.["type"]).toBe("NodePort");
  const given = ((spec?.["ports"] ?? []) as { nodePort?: number }[]).flatMap(
    ({ nodePort }) => nodePort ?? [],
  );
  expect(given).toEqual(ports);
});

test.each([
  ["", "http://inference-lb", "http://gateway:8000"],
  ["load-test", "http://inference-lb.flts.svc", "http://gateway.flts.svc:8000"],
])("the swarm in namespace %j goes to %s", (namespace, host, gateway) => {
  const { podsOf } = deployed({ set: ["locust.enabled=true", `namespaces.load="${namespace}"`] });
  for (const name of ["locust-master", "locust-worker"])
    expect(podsOf(name).spec.containers[0]?.env).toEqual(
      expect.arrayContaining([
        { name: "LOCUST_HOST", value: host },
        { name: "GATEWAY_BASE", value: gateway },
      ]),
    );
});

test("production opens nothing but the load balancer", () => {
  const services = deployed({ installation: "production" }).manifests.filter(
    ({ kind }) => kind === "Service",
  );
  const open = services.filter(({ spec }) => ["LoadBalancer", "NodePort"].includes(String(spec?.["type"])));
  expect(open.map(({ metadata }) => metadata.name)).toEqual(["inference-lb"]);
});

test("every bucket is made by one Job: ours, and the reference's one that is not ours", () => {
  const [script] = oneNode().podsOf("minio-init").spec.containers[0]?.args ?? [];
  const made = /for bucket in ([^;]*);/.exec(script ?? "")?.[1]?.split(" ");
  expect(new Set(made)).toEqual(new Set([...Object.values(buckets), "inference-txt-logs"]));
});

test("every topic is made by one Job, with as many partitions as the services ask for", () => {
  const { spec } = oneNode().podsOf("kafka-topics");
  expect(spec.containers[0]?.args).toEqual(["topics", "--partitions", "4"]);
  const asked = oneNode().pods.flatMap((pods) =>
    pods.spec.containers.flatMap(({ env = [] }) =>
      env.filter(({ name }) => name === "TOPIC_PARTITIONS").map(({ value }) => value),
    ),
  );
  expect(new Set(asked)).toEqual(new Set(["4"]));
  for (const { retentionMs } of pipelineTopics(4)) expect(retentionMs).toBeGreaterThan(0);
});

test("Jobs are part of the first revision, so that nothing waits for ever, and hooks of all later ones", () => {
  const jobs = ["minio-init", "kafka-topics", "dataset-seed", "preprocess"];
  const later = deployed({ installation: "one-node", isUpgrade: true });
  const weights = jobs.map((name) => {
    expect(oneNode().one("Job", name).metadata.annotations).toBeUndefined();
    const { annotations = {} } = later.one("Job", name).metadata;
    expect(annotations).toMatchObject({
      "helm.sh/hook": "post-upgrade",
      "helm.sh/hook-delete-policy": "before-hook-creation",
    });
    return Number(annotations["helm.sh/hook-weight"]);
  });
  expect(weights).toEqual([1, 2, 3, 4]);
});

test.each([
  ["synthetic", ["seed", "--url=http://gateway:8000", "--dataset=Sants"]],
  ["pvc", ["seed", "--url=http://gateway:8000", "--dataset=Sants", "--data=/data"]],
] as const)("data that are %s are brought by a Job", (source, args) => {
  const { podsOf } = deployed({
    set: [`dataset={"source":"${source}","name":"Sants","claimName":"csv"}`],
  });
  expect(podsOf("dataset-seed").spec.containers[0]?.args).toEqual(args);
});

test("data that somebody uploads are waited for", () => {
  const { manifests, podsOf } = deployed({ set: ['dataset={"source":"upload","name":"Sants"}'] });
  expect(manifests.some(({ metadata }) => metadata.name === "dataset-seed")).toBe(false);
  const [wait] = podsOf("preprocess").spec.initContainers ?? [];
  expect(wait?.args?.[0]).toContain('mc stat "store/dataset/Sants_test.csv"');
});

test("preprocess can run by the clock, too", () => {
  const { one } = deployed({ set: ['preprocess.schedule="0 3 * * *"'] });
  expect(one("CronJob", "preprocess-scheduled").spec).toMatchObject({
    schedule: "0 3 * * *",
    concurrencyPolicy: "Forbid",
  });
});

test.each([
  [
    "kafka",
    'kafka.external={"bootstrapServers":"b:9093","securityProtocol":"SASL_SSL","port":9093}',
    "b:9093",
  ],
  ["minio", 'minio.external={"endpoint":"https://s3.example.com"}', "https://s3.example.com"],
  ["mlflow", 'mlflow.external={"trackingUri":"https://mlflow.example.com"}', "https://mlflow.example.com"],
  ["postgres", 'postgres.external={"host":"db.example.com"}', "db.example.com:5432"],
])("%s can be one that is there already", (part, external, address) => {
  const { manifests } = deployed({ set: [`${part}.enabled=false`, external] });
  const name = part === "postgres" ? "mlflow-postgres" : part;
  const workloads = manifests.filter(({ kind }) => ["Deployment", "StatefulSet"].includes(kind));
  expect(workloads.map(({ metadata }) => metadata.name)).not.toContain(name);
  expect(JSON.stringify(workloads)).toContain(address);
});

test("a Kafka that is there already may ask for a login, and have certificates of its own", () => {
  const { podsOf } = deployed({
    set: [
      "kafka.enabled=false",
      'kafka.external={"bootstrapServers":"b:9093","securityProtocol":"SASL_SSL","port":9093,"caSecret":"b-ca"}',
    ],
  });
  for (const name of ["eval", "preprocess", "kafka-topics"]) {
    const { containers, volumes } = podsOf(name).spec;
    const environment = Object.fromEntries((containers[0]?.env ?? []).map((one) => [one.name, one.value]));
    expect(environment, name).toMatchObject({
      KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
      KAFKA_SASL_PASSWORD_FILE: "/run/secrets/flts/kafka/password",
      KAFKA_SSL_CA_FILE: "/run/secrets/flts/kafka-ca/ca.crt",
    });
    const secrets = volumes?.flatMap(({ secret }) => secret?.secretName ?? []);
    expect(secrets, name).toEqual(expect.arrayContaining(["flts-kafka", "b-ca"]));
  }
});
