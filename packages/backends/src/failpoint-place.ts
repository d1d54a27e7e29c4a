import { FltsError } from "@flts/common/contracts/errors";

/** Operations of the ports at which a process can be told to die, and what a pattern is compared with. */
export const failpointOperations = {
  publish: "the topic",
  commit: "the topic",
  put: "bucket/key, whatever the condition",
  create: "bucket/key, if nothing may be there",
  swap: "bucket/key, if the ETag must match",
  get: "bucket/key, bytes or stream",
  head: "bucket/key",
  list: "bucket/prefix",
  remove: "bucket/key",
  "start-run": "the experiment",
  "log-params": "the run id",
  "log-metrics": "the run id",
  "set-tags": "the run id",
  "end-run": "the run id",
  "put-artifact": "the artifact's path",
  "register-model": "the model",
  "set-alias": "the model",
} as const;

export type FailpointOperation = keyof typeof failpointOperations;
export type FailpointMoment = "before" | "after";

/** A place at which to die: the n-th time that an operation meets the pattern, before it begins or after it is done. */
export interface FailpointPlace {
  readonly moment: FailpointMoment;
  readonly operation: FailpointOperation;
  /** `*` stands for anything within a part of a path, `**` for anything. */
  readonly pattern: string;
  /** Counted from 1. */
  readonly nth: number;
}

/**
 * Reads `<before|after>:<operation>[:<pattern>][#<n>]`, such as `after:put:mlflow/**` or `before:swap:model-promotion/**#2`.
 * @throws CONFIG_INVALID
 */
export function parseFailpoint(text: string): FailpointPlace {
  const match =
    /^(?<moment>before|after):(?<operation>[a-z-]+)(?::(?<pattern>[^#]+))?(?:#(?<nth>[1-9]\d*))?$/.exec(text);
  const { moment, operation, pattern = "**", nth = "1" } = match?.groups ?? {};
  if ((moment !== "before" && moment !== "after") || !isOperation(operation)) {
    const known = Object.keys(failpointOperations).join(", ");
    throw new FltsError(
      "CONFIG_INVALID",
      `FLTS_FAILPOINT=${text}: write <before|after>:<operation>:<pattern>#<n>, with an operation of ${known}`,
    );
  }
  return { moment, operation, pattern, nth: Number(nth) };
}

/** Whether a subject, such as `mlflow/0/run.json`, meets a pattern. */
export function meetsPattern(subject: string, pattern: string): boolean {
  const source = pattern.replaceAll(/\*\*|\*|[.+?^${}()|[\]\\]/g, (part) => {
    if (part === "**") return ".*";
    return part === "*" ? "[^/]*" : `\\${part}`;
  });
  return new RegExp(`^${source}$`, "s").test(subject);
}

const isOperation = (name: string | undefined): name is FailpointOperation =>
  name !== undefined && Object.hasOwn(failpointOperations, name);
