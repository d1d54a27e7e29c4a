import { join } from "node:path";
import { vi } from "vitest";
import { installations, repository } from "../../tools/deploy/helm.ts";
import { helm, namespace, run } from "./kubectl.ts";
import { isDone, nameOf, type Pod, podsOf } from "./pods.ts";

/** How FLTS gets onto a cluster. */
export interface Installation {
  readonly name: string;
  install(): Promise<void>;
}

/** The plain manifests, as somebody who tries it on one node applies them. */
export const plainManifests: Installation = {
  name: "kubectl apply -f k8s/",
  install: async () => void (await run("kubectl", ["apply", `--filename=${join(repository, "k8s")}`])),
};

export const release: Installation = {
  name: "helm install",
  install: () => installRelease("one-node"),
};

/** Production as it is but for its size: in one namespace, and small enough for any node. */
export const productionWithoutSecrets: Installation = {
  name: "helm install, production",
  install: () => {
    const resources = { requests: { cpu: "10m", memory: "32Mi" } };
    const small = { resources, replicas: 1 };
    return installRelease("production", {
      namespaces: { create: false, training: "", serving: "", monitoring: "", load: "" },
      kafka: small,
      minio: { resources },
      postgres: { resources },
      mlflow: { resources },
      preprocess: { resources },
      serviceDefaults: { gateway: small, train: small, eval: small, inference: small },
      monitoring: {
        prometheus: { enabled: false },
        alertmanager: { enabled: false },
        grafana: { enabled: false },
      },
    });
  },
};

async function installRelease(
  installation: (typeof installations)[number],
  values: object = {},
): Promise<void> {
  const chart = join(repository, "helm", "flts");
  const files = [`--values=${join(chart, `values-${installation}.yaml`)}`, "--values=-"];
  await helm(["install", "flts", chart, ...files, "--create-namespace"], { input: JSON.stringify(values) });
}

/** Takes away all of FLTS, data included. */
export async function remove(): Promise<void> {
  await run("kubectl", ["delete", "namespace", namespace, "--ignore-not-found", "--timeout=180s"]);
}

/** Takes all away, installs anew, and returns when every pod is ready or done. @returns how many seconds that took */
export async function installAfresh({ install }: Installation): Promise<number> {
  await remove();
  const begun = performance.now();
  await install();
  await untilAllDone(600_000);
  return (performance.now() - begun) / 1000;
}

/** Installs the plain manifests unless a model is served already. */
export async function installed(): Promise<void> {
  const replicas = await podsOf("app=inference").catch(() => []);
  if (replicas.length === 0) await installAfresh(plainManifests);
  else await untilAllDone(600_000);
}

/** @throws naming the pods that were not ready in time */
export async function untilAllDone(timeoutMs: number): Promise<void> {
  let waiting: readonly Pod[] = [];
  const deadline = performance.now() + timeoutMs;
  await vi.waitUntil(
    async () => {
      const pods = await podsOf();
      waiting = pods.filter((pod) => !isDone(pod));
      if (performance.now() > deadline - 2_000)
        throw new Error(`not ready: ${waiting.map(nameOf).join(", ")}`);
      return pods.length > 0 && waiting.length === 0;
    },
    { timeout: timeoutMs, interval: 1_000 },
  );
}
