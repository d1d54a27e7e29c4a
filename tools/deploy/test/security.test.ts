import { expect, test } from "vitest";
import { installations } from "../helm.ts";
import { containersOf } from "../manifests.ts";
import { deployed, oneNode } from "./rendered.ts";

test.each(installations)(
  '%s: every pod keeps the standard "restricted", and has no token',
  (installation) => {
    for (const pods of deployed({ installation }).pods) {
      const where = pods.owner.metadata.name;
      expect(pods.spec, where).toMatchObject({
        serviceAccountName: "flts",
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: expect.any(Number) as unknown,
          seccompProfile: { type: "RuntimeDefault" },
        },
      });
      for (const container of containersOf(pods))
        expect(container.securityContext, `${where}/${container.name}`).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
    }
  },
);

test.each(installations)("%s: images have tags, and are pulled where they are not there", (installation) => {
  for (const pods of deployed({ installation }).pods)
    for (const { image, imagePullPolicy } of containersOf(pods)) {
      expect(image).toMatch(/:[^/:]+$/);
      expect(image).not.toMatch(/:latest$/);
      expect(imagePullPolicy).toBe("IfNotPresent");
    }
});

test("one value puts a registry before every image", () => {
  for (const pods of deployed({ set: ['global.imageRegistry="registry.example.com/x"'] }).pods)
    for (const { image } of containersOf(pods)) expect(image).toMatch(/^registry\.example\.com\/x\//);
});

test.each(["staging", "production"] as const)(
  "%s holds no credential: all are Secrets that exist",
  (name) => {
    const { manifests } = deployed({ installation: name });
    expect(manifests.filter(({ kind }) => kind === "Secret")).toEqual([]);
    expect(JSON.stringify(manifests)).not.toMatch(/minioadmin|promotion-token/);
  },
);

test("credentials are never values of variables", () => {
  const secrets = oneNode().manifests.filter(({ kind }) => kind === "Secret");
  const values = secrets.flatMap(({ stringData = {} }) => Object.values(stringData));
  expect(values).toContain("minioadmin");
  const variables = oneNode().pods.flatMap((pods) => containersOf(pods).flatMap(({ env = [] }) => env));
  // The database's password is its user's name there.
  for (const { name, value = "" } of variables)
    expect(values.includes(value) && !/_(USER|DB)$/.test(name), name).toBe(false);
});

test.each(installations)("%s: each namespace denies what is not allowed", (installation) => {
  const { manifests } = deployed({ installation });
  const namespaces = new Set(manifests.map(({ metadata }) => metadata.namespace ?? "flts"));
  for (const namespace of namespaces) {
    const denial = manifests.find(
      ({ kind, metadata }) =>
        kind === "NetworkPolicy" && metadata.name === "default-deny" && metadata.namespace === namespace,
    );
    expect(denial?.spec, namespace).toMatchObject({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  }
});

test("who may speak to whom is said twice: by the pod that asks and by the one that is asked", () => {
  const { manifests, pods } = oneNode();
  const used = new Set(
    pods.flatMap(({ labels }) => Object.keys(labels)).filter((label) => label.startsWith("flts.dev/uses-")),
  );
  expect(used.size).toBeGreaterThan(5);
  const policies = manifests.filter(({ kind }) => kind === "NetworkPolicy").map(({ spec }) => spec);
  for (const label of used) {
    const outgoing = policies.find((spec) => {
      const { matchLabels = {} } = (spec?.["podSelector"] ?? {}) as { matchLabels?: Record<string, string> };
      return matchLabels[label] === "true";
    });
    expect(outgoing, label).toMatchObject({ policyTypes: ["Egress"] });
  }
});

test("production runs in namespaces of their own, with what pods need in each", () => {
  const { manifests, pods } = deployed({ installation: "production" });
  const spaces = ["flts", "flts-monitoring", "flts-serving", "flts-training"];
  expect(new Set(pods.map(({ owner }) => owner.metadata.namespace))).toEqual(new Set(spaces));
  for (const namespace of spaces)
    expect(
      manifests.some(({ kind, metadata }) => kind === "ServiceAccount" && metadata.namespace === namespace),
    ).toBe(true);
  const environment = deployed({ installation: "production" }).podsOf("train-lstm").spec.containers[0]?.env;
  expect(environment).toContainEqual({ name: "S3_ENDPOINT", value: "http://minio.flts.svc:9000" });
});
