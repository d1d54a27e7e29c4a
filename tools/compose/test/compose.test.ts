import { existsSync, readdirSync, readFileSync } from "node:fs";
import { loadConfig } from "@flts/common/service/config";
import { servingNodeOptions } from "@flts/common/service/serving-process";
import { familyNames } from "@flts/families/registry";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { nodeVariables, serviceSettings } from "../../deploy/test/service-settings.ts";
import { readStack, type Service } from "../stack.ts";

const stack = readStack();
const services = Object.entries(stack.services).map(([name, service]) => ({ name, service }));

/** The name of the service that a container of ours runs. */
const programOf = ({ build }: Service): string => build?.args?.["SERVICE"] ?? "";
const ours = services.filter(({ service }) => programOf(service) !== "");

test("the whole documented stack is there", () => {
  expect(services.map(({ name }) => name).toSorted()).toEqual([
    "alertmanager",
    "dataset-seed",
    "eval",
    "gateway",
    "grafana",
    "inference",
    "inference-lb",
    "kafka",
    "locust-master",
    "locust-worker",
    "minio",
    "minio-init",
    "mlflow",
    "postgres",
    "preprocess",
    "prometheus",
    ...familyNames.map((family) => `train-${family.toLowerCase()}`).toSorted(),
  ]);
  expect(stack.services["inference"]?.deploy?.replicas).toBe(2);
  expect(stack.services["locust-worker"]?.deploy?.replicas).toBe(4);
});

test("the servers need no profile and nothing that has one: they are enough to develop", () => {
  const withoutProfile = services.filter(({ service }) => service.profiles === undefined);
  const names = withoutProfile.map(({ name }) => name);
  expect(names.toSorted()).toEqual(["kafka", "minio", "minio-init", "mlflow", "postgres"]);
  for (const { service } of withoutProfile)
    expect(names).toEqual(expect.arrayContaining(Object.keys(service.depends_on ?? {})));
});

test("every port of the reference is where it was, and open on loopback only", () => {
  const published = services.flatMap(({ name, service }) =>
    (service.ports ?? []).map((port) => [name, port.published, port.host_ip]),
  );
  expect(published.map(([name, port]) => `${name} ${port}`).toSorted()).toEqual([
    "alertmanager 9093",
    "eval 8050",
    "gateway 8000",
    "grafana 3000",
    "inference-lb 8023",
    "kafka 9092",
    "locust-master 5557",
    "locust-master 8089",
    "minio 9000",
    "minio 9001",
    "mlflow 5000",
    "postgres 5432",
    "prometheus 9090",
  ]);
  expect(new Set(published.map(([, , address]) => address))).toEqual(new Set(["127.0.0.1"]));
});

test("who waits for somebody's health waits for one that tells of it", () => {
  const awaited = services.flatMap(({ service }) =>
    Object.entries(service.depends_on ?? {}).filter(([, { condition }]) => condition === "service_healthy"),
  );
  for (const [name] of awaited) expect(stack.services[name]?.healthcheck, name).toBeDefined();
});

test.each(ours)("$name reads every variable that it is given", ({ service }) => {
  const settings = serviceSettings[programOf(service)];
  for (const name of Object.keys(service.environment ?? {}))
    expect([...Object.keys(settings?.shape ?? {}), ...nodeVariables]).toContain(name);
});

test.each(ours)("$name is given what it needs, in values that it takes", ({ service }) => {
  const settings = serviceSettings[programOf(service)];
  const given = Object.entries(service.environment ?? {}).map(([name, value]) => [name, value ?? ""]);
  expect(() => loadConfig(settings?.shape ?? {}, Object.fromEntries(given))).not.toThrow();
});

test.each(ours)(
  "$name runs without root's powers, and writes nowhere but where it must",
  ({ name, service }) => {
    expect(service).toMatchObject({ cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
    expect(service.read_only ?? false).toBe(name !== "preprocess");
  },
);

test("inference keeps V8's own threads out of the way of those that answer", () => {
  const serving = ours.filter(({ service }) => programOf(service) === "inference");
  expect(serving).not.toEqual([]);
  for (const { service } of serving) expect(service.environment?.["NODE_OPTIONS"]).toBe(servingNodeOptions);
});

test("each family is trained in a group of its own, and eval waits for all", () => {
  const trainers = ours.filter(({ service }) => programOf(service) === "train");
  const variables = (name: string): string[] =>
    trainers.map(({ service }) => service.environment?.[name] ?? "").toSorted();
  expect(variables("MODEL_TYPE")).toEqual(familyNames.toSorted());
  expect(new Set(variables("CONSUMER_GROUP_ID")).size).toBe(trainers.length);
  const expected = stack.services["eval"]?.environment?.["EXPECTED_MODEL_TYPES"] ?? "";
  expect(expected.split(",").toSorted()).toEqual(familyNames.toSorted());
  expect(new Set(variables("EXPECTED_MODEL_TYPES"))).toEqual(new Set([expected]));
});

test("the swarm reads every variable that it is given", () => {
  const read = readFileSync("locust/swarm/settings.py", "utf8").matchAll(/read\("(\w+)"/g);
  const names = new Set([...read].map(([, name]) => name));
  for (const name of ["locust-master", "locust-worker"])
    for (const variable of Object.keys(stack.services[name]?.environment ?? {}))
      expect(names).toContain(variable);
});

test("what is mounted from the repository exists, and what is kept has a name", () => {
  const volumes = services.flatMap(({ service }) => service.volumes ?? []);
  const sources = (kind: string): string[] =>
    volumes.filter(({ type }) => type === kind).map(({ source }) => source);
  for (const source of sources("bind")) expect(existsSync(source), source).toBe(true);
  expect(new Set(sources("volume"))).toEqual(new Set(Object.keys(stack.volumes)));
});

test("what is built has a Dockerfile", () => {
  const builds = services.flatMap(({ service }) => service.build ?? []);
  for (const { context, dockerfile = "Dockerfile" } of builds)
    expect(existsSync(`${context}/${dockerfile}`), context).toBe(true);
});

test("Prometheus asks everybody who runs on, by the names that rules and dashboards use", () => {
  const { scrape_configs: jobs } = parse(readFileSync("docker/prometheus/prometheus.yml", "utf8")) as {
    scrape_configs: {
      job_name: string;
      dns_sd_configs?: { names: string[]; port: number }[];
      static_configs?: { targets: string[] }[];
    }[];
  };
  const targets = jobs.flatMap(({ dns_sd_configs: found = [], static_configs: fixed = [] }) => [
    ...found.flatMap(({ names, port }) => names.map((name) => `${name}:${port}`)),
    ...fixed.flatMap((one) => one.targets),
  ]);
  const longRunning = ours.filter(({ service }) => service.healthcheck !== undefined);
  expect(targets.toSorted()).toEqual(
    [...longRunning.map(({ name }) => `${name}:9091`), "inference-lb:8404", "minio:9000"].toSorted(),
  );
  for (const { job_name: job, dns_sd_configs: found = [] } of jobs)
    for (const { names } of found) expect(names).toEqual([job]);
});

test("images are those of the chart", () => {
  const { images } = parse(readFileSync("helm/flts/values.yaml", "utf8")) as {
    images: Record<string, unknown>;
  };
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  for (const { service } of ours) expect(service.image).toBe(`flts/${programOf(service)}:${version}`);
  const others = services.filter(({ name, service }) => programOf(service) === "" && name !== "inference-lb");
  for (const { service } of others) expect(Object.values(images)).toContain(service.image);
});

test("Grafana finds its source under the name that the dashboards give it", () => {
  const provisioning = readFileSync("docker/grafana/provisioning/datasources/prometheus.yaml", "utf8");
  const { datasources } = parse(provisioning) as { datasources: { uid: string }[] };
  for (const file of readdirSync("helm/flts/dashboards"))
    expect(readFileSync(`helm/flts/dashboards/${file}`, "utf8")).toContain(`"uid": "${datasources[0]?.uid}"`);
});
