import { kubectl, list } from "./kubectl.ts";

/** Pods as the cluster tells of them. */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  readonly restartCount: number;
  readonly state: { readonly waiting?: { readonly reason: string; readonly message?: string } };
}

/** @param selector such as `app=inference`; all pods when not given. Those that are being ended do not count. */
export async function podsOf(selector?: string): Promise<readonly Pod[]> {
  const pods = await list<Pod>("pods", ...(selector === undefined ? [] : ["--selector", selector]));
  return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

export const nameOf = ({ metadata }: Pod): string => metadata.name;

export const isReady = ({ status }: Pod): boolean =>
  status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;

/** Ready, or a Job's that has done its work. */
export const isDone = (pod: Pod): boolean => pod.status.phase === "Succeeded" || isReady(pod);

export const restartsOf = ({ status }: Pod): number =>
  [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].reduce(
    (sum, { restartCount }) => sum + restartCount,
    0,
  );

/** What a pod's main containers wrote, line by line. */
export async function linesOf(pod: string): Promise<readonly string[]> {
  const text = await kubectl(["logs", pod, "--all-containers=false"]);
  return text.split("\n").filter((line) => line !== "");
}

interface Event {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly name: string };
}

/** What the cluster says of a pod, as `kubectl describe` shows it. */
export const eventsOf = (pod: string): Promise<readonly Event[]> =>
  list<Event>("events", `--field-selector=involvedObject.name=${pod}`);
