import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createHttpApp } from "@flts/common/service/http";
import { createLogger } from "@flts/common/service/logger";
import { createMetrics } from "@flts/common/service/metrics";
import { createProbes } from "@flts/common/service/probes";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { createEvalMetrics } from "../../../services/eval/src/metrics.ts";
import { createInferenceMetrics } from "../../../services/inference/src/metrics.ts";
import { repository } from "../helm.ts";
import { metricsIn } from "../promql.ts";
import { deployed } from "./rendered.ts";

/** Nobody reads the gauges here. */
const unread = (): never => {
  throw new Error("a test looks at names alone");
};

/** Every name that a service exports, histograms with what they add. */
function exported(): ReadonlySet<string> {
  const { registry } = createMetrics("test");
  createHttpApp({
    log: createLogger({ service: "test", level: "silent", pretty: false }),
    registry,
    probes: createProbes(),
    bodyLimitBytes: 1,
    logRequests: false,
  });
  createEvalMetrics(registry);
  createInferenceMetrics(registry, { admission: unread, compute: unread, stations: unread, epoch: unread });
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  return new Set(names.flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]));
}

/** What Prometheus makes itself. */
const ofPrometheus = ["up"];

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly expr: string }[] }[];
}
interface Dashboard {
  readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
}

const chart = join(repository, "helm/flts");
const read = (path: string): string => readFileSync(join(chart, path), "utf8");
const queries = [
  ...globSync("rules/*.yaml", { cwd: chart }).flatMap((path) =>
    (parse(read(path)) as Rules).groups.flatMap(({ rules }) => rules.map(({ expr }) => ({ path, expr }))),
  ),
  ...globSync("dashboards/*.json", { cwd: chart }).flatMap((path) =>
    (JSON.parse(read(path)) as Dashboard).panels.flatMap(({ targets }) =>
      targets.map(({ expr }) => ({ path, expr })),
    ),
  ),
];

test("every metric that a rule or a dashboard names is exported", () => {
  const names = exported();
  expect(queries.length).toBeGreaterThan(20);
  for (const { path, expr } of queries)
    for (const name of metricsIn(expr))
      expect(names.has(name) || ofPrometheus.includes(name), `${path}: ${name} in ${expr}`).toBe(true);
});

test("names are told from functions, labels, durations and keywords", () => {
  expect(
    metricsIn(
      'sum by (job, le) (rate(a_bucket{x=~"b|c"}[5m])) / on (job) group_left () b > 0.5 and c:d == 1',
    ),
  ).toEqual(["a_bucket", "b", "c:d"]);
});

test("Prometheus reads the same rules, and asks every service", () => {
  const { one } = deployed({ installation: "one-node" });
  const [rules] = Object.values(one("ConfigMap", "prometheus-rules").data ?? {});
  expect(parse(rules ?? "")).toEqual(parse(read("rules/flts.yaml")));
  const configuration = one("ConfigMap", "prometheus").data?.["prometheus.yml"] ?? "";
  for (const name of ["gateway", "train-lstm", "eval", "inference"])
    expect(configuration).toContain(`names: [${name}-metrics]`);
});

const kindsWhere = (apiVersions: readonly string[]): string[] =>
  deployed({ apiVersions }).manifests.map(({ kind }) => kind);

test("where the operator is, it finds a monitor for each service and the rules", () => {
  expect(kindsWhere(["monitoring.coreos.com/v1"])).toEqual(
    expect.arrayContaining(["ServiceMonitor", "PrometheusRule"]),
  );
  expect(kindsWhere([])).not.toContain("ServiceMonitor");
});
