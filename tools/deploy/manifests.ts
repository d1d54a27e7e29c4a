import { parseAllDocuments } from "yaml";

/** The parts of Kubernetes' objects that we look at. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: unknown;
}

interface Amounts {
  readonly cpu?: string | number;
  readonly memory?: string | number;
}

export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string | number };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy?: string;
  readonly args?: readonly string[];
  readonly env?: readonly Variable[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources?: { readonly requests?: Amounts; readonly limits?: Amounts };
  readonly securityContext?: unknown;
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface PodSpec {
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
}

/** The pods that a workload makes. */
export interface Pods {
  readonly owner: Manifest;
  readonly labels: Readonly<Record<string, string>>;
  readonly replicas: number;
  readonly spec: PodSpec;
}

export const parseManifests = (text: string): readonly Manifest[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);

interface PodTemplate {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

interface WorkloadSpec {
  readonly replicas?: number;
  readonly template?: PodTemplate;
  readonly jobTemplate?: { readonly spec: { readonly template: PodTemplate } };
}

/** Every workload's pods. Where an autoscaler says how many there are, its least. */
export function podsOf(manifests: readonly Manifest[]): readonly Pods[] {
  const least = new Map(
    manifests
      .filter(({ kind }) => kind === "HorizontalPodAutoscaler")
      .map(({ metadata, spec }) => [metadata.name, spec?.["minReplicas"] as number]),
  );
  return manifests.flatMap((owner) => {
    const { replicas, template, jobTemplate } = (owner.spec ?? {}) as WorkloadSpec;
    const pod = template ?? jobTemplate?.spec.template;
    if (pod === undefined) return [];
    const autoscaled = owner.kind === "Deployment" ? least.get(owner.metadata.name) : undefined;
    return [
      {
        owner,
        labels: pod.metadata?.labels ?? {},
        replicas: replicas ?? autoscaled ?? 1,
        spec: pod.spec,
      },
    ];
  });
}

export const containersOf = ({ spec }: Pods): readonly Container[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
];
