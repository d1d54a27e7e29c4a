import { type Installation, type Rendering, renderOrThrow } from "../helm.ts";
import { type Manifest, type Pods, parseManifests, podsOf } from "../manifests.ts";

/** A rendered chart, looked at from several sides. */
export interface Deployed {
  readonly manifests: readonly Manifest[];
  readonly pods: readonly Pods[];
  /** The only object of that kind and name. */
  one(kind: string, name: string): Manifest;
  /** The pods of a workload. */
  podsOf(name: string): Pods;
}

const known = new Map<string, Deployed>();

/** Renders once for each set of values, however many tests look at it. */
export function deployed(rendering: Rendering): Deployed {
  const key = JSON.stringify(rendering);
  const present = known.get(key);
  if (present !== undefined) return present;
  const manifests = parseManifests(renderOrThrow(rendering));
  const pods = podsOf(manifests);
  const created: Deployed = {
    manifests,
    pods,
    one: (kind, name) =>
      only(
        manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name),
        `${kind} ${name}`,
      ),
    podsOf: (name) =>
      only(
        pods.filter(({ owner }) => owner.metadata.name === name),
        `workload ${name}`,
      ),
  };
  known.set(key, created);
  return created;
}

function only<Item>(items: readonly Item[], what: string): Item {
  const [item] = items;
  if (item === undefined || items.length > 1) throw new Error(`there are ${items.length} of ${what}`);
  return item;
}

export const oneNode = (): Deployed => deployed({ installation: "one-node" });
export const titled = (installation: Installation): string => `values-${installation}.yaml`;
