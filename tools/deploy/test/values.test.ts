import { expect, test } from "vitest";
import { installations, lint, render, renderOrThrow, validate } from "../helm.ts";

test.each([
  ["kafka.repilcas=3", "/kafka", "repilcas"],
  ["kafka.replicas=2", "/kafka/replicas", "1, 3"],
  ['workloads.x={"service":"tcn"}', "/workloads/x/service", "'gateway'"],
  ['workloads.x={"service":"train"}', "/workloads/x", "env"],
  ["workloads.eval.env.PORT=8050", "/workloads/eval/env/PORT", "string"],
  ['workloads.inference.resources.requests.memory="1 GB"', "/resources/requests/memory", "1 GB"],
  ['images.kafka="apache/kafka"', "/images/kafka", "apache/kafka"],
  ['images.kafka="apache/kafka:latest"', "/images/kafka", "'not'"],
  ['dataset.source="ftp"', "/dataset/source", "'synthetic'"],
  ["mlflow.service.nodePort=80", "/mlflow/service/nodePort", "30,000"],
  ['secrets.s3.data={"password":"x"}', "/secrets/s3/data", "password"],
  ['logLevel="loud"', "/logLevel", "'debug'"],
  ['surprise="x"', "''", "surprise"],
])("%s is refused, with its path", (assignment, path, part) => {
  const { ok, fault } = render({ set: [assignment] });
  expect(ok).toBe(false);
  expect(fault).toContain(path);
  expect(fault).toContain(part);
});

test.each([
  ["kafka.enabled=false", "kafka.external.bootstrapServers is needed"],
  ["minio.enabled=false", "minio.external.endpoint is needed"],
  ["mlflow.enabled=false", "mlflow.external.trackingUri is needed"],
  ["postgres.enabled=false", "postgres.external.host is needed"],
  ['dataset.source="pvc"', "dataset.claimName is needed"],
])("%s alone is refused in words", (assignment, sentence) => {
  expect(render({ set: [assignment] }).fault).toContain(sentence);
});

test.each(installations)("helm finds nothing to say about %s", (installation) => {
  expect(lint(installation)).toBe("");
});

const versions = ["1.30.0", "1.31.0", "1.32.0", "1.33.0", "1.34.0"];

test.each(versions)("every manifest of every installation is valid for Kubernetes %s", (version) => {
  const all = [
    ...installations.map((installation) => renderOrThrow({ installation })),
    renderOrThrow({ installation: "production", isUpgrade: true, set: ['preprocess.schedule="@daily"'] }),
  ];
  expect(validate(all.join("\n---\n"), version)).toBe("");
});
