import { expect, test } from "vitest";
import { installations } from "../helm.ts";
import { containersOf, type Pods } from "../manifests.ts";
import { quantity } from "../quantity.ts";
import { deployed, oneNode, titled } from "./rendered.ts";

const INFERENCE_PODS = 4;
const GIBIBYTE = 1024 ** 3;

/** What the scheduler sets aside for a pod: init containers run before the others, not beside them. */
function requested({ spec }: Pods, resource: "cpu" | "memory"): number {
  const of = (container: Pods["spec"]["containers"][number]): number =>
    quantity(container.resources?.requests?.[resource] ?? 0);
  return Math.max(
    spec.containers.reduce((sum, container) => sum + of(container), 0),
    ...(spec.initContainers ?? []).map(of),
  );
}

/** Jobs included, as if all of them ran at once. */
const sum = (resource: "cpu" | "memory"): number =>
  oneNode().pods.reduce((total, pods) => {
    const replicas = pods.owner.metadata.name === "inference" ? INFERENCE_PODS : pods.replicas;
    return total + replicas * requested(pods, resource);
  }, 0);

test("all of it fits one node with two cores and six gigabytes, with four inference pods", () => {
  expect(sum("cpu")).toBeLessThanOrEqual(1.3);
  expect(sum("memory")).toBeLessThanOrEqual(5 * GIBIBYTE);
});

test("it starts with two inference pods, which an autoscaler may make twenty", () => {
  expect(oneNode().podsOf("inference").replicas).toBe(2);
  expect(oneNode().one("HorizontalPodAutoscaler", "inference").spec).toMatchObject({ maxReplicas: 20 });
});

test.each(installations)(
  "%s: every container says what it needs, and how much memory is too much",
  (name) => {
    for (const pods of deployed({ installation: name }).pods)
      for (const { name: container, resources } of containersOf(pods)) {
        const where = `${titled(name)}: ${pods.owner.metadata.name}/${container}`;
        expect(quantity(resources?.requests?.cpu ?? 0), where).toBeGreaterThan(0);
        const memory = quantity(resources?.requests?.memory ?? 0);
        expect(memory, where).toBeGreaterThan(0);
        expect(quantity(resources?.limits?.memory ?? 0), where).toBeGreaterThanOrEqual(memory);
      }
  },
);
