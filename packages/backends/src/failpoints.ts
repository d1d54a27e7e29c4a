import { closeSync, existsSync, fsyncSync, openSync } from "node:fs";
import process from "node:process";
import type { MessageLog } from "@flts/common/ports/message-log";
import type { ObjectRef, ObjectStore, PutOptions } from "@flts/common/ports/object-store";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { type FailpointOperation, meetsPattern, parseFailpoint } from "./failpoint-place.ts";

export interface FailpointOptions {
  /** As `parseFailpoint` reads it; empty for none. */
  readonly place: string;
  /** Whether the whole process group dies, as when a machine does, or this process alone. */
  readonly scope: "group" | "process";
  /** To die (SIGKILL), or to stand still until told to go on (SIGSTOP). */
  readonly action: "kill" | "stop";
  /** Made before dying; while it is there nobody dies, and no operation counts. Empty for none: die every time. */
  readonly markerFile: string;
}

/** Ports that die, or stand still, at a named place, for fault tests: every operation of every port is one, before it and after it. */
export interface Failpoint {
  watchLog(log: MessageLog): MessageLog;
  watchStore(store: ObjectStore): ObjectStore;
  watchTracker(tracker: RunTracker): RunTracker;
}

/** Without a place, the ports stay as they are. @throws CONFIG_INVALID */
export function createFailpoint({ place: text, scope, action, markerFile }: FailpointOptions): Failpoint {
  if (text === "") return { watchLog: same, watchStore: same, watchTracker: same };
  const place = parseFailpoint(text);
  let matches = 0;

  const pass = (
    moment: "before" | "after",
    operations: readonly FailpointOperation[],
    subjects: readonly string[],
  ): void => {
    if (moment !== place.moment || !operations.includes(place.operation)) return;
    if (!subjects.some((subject) => meetsPattern(subject, place.pattern))) return;
    if (markerFile !== "" && existsSync(markerFile)) return;
    matches += 1;
    if (matches === place.nth && leaveMarker(markerFile))
      process.kill(scope === "group" ? 0 : process.pid, action === "kill" ? "SIGKILL" : "SIGSTOP");
  };
  const around = async <Result>(
    operations: readonly FailpointOperation[],
    subjects: readonly string[],
    operation: () => Promise<Result>,
  ): Promise<Result> => {
    pass("before", operations, subjects);
    const result = await operation();
    pass("after", operations, subjects);
    return result;
  };

  return {
    watchLog: (log) => ({
      ...log,
      publish: (messages) =>
        around(
          ["publish"],
          messages.map(({ topic }) => topic),
          () => log.publish(messages),
        ),
      consume: (subscription) =>
        log.consume({
          ...subscription,
          onDelivery: (delivery) =>
            subscription.onDelivery({
              ...delivery,
              commit: () => around(["commit"], [delivery.topic], () => delivery.commit()),
            }),
        }),
    }),
    watchStore: (store) => ({
      ...store,
      put: (ref, body, options) =>
        around(putOperations(options), [nameOf(ref)], () => store.put(ref, body, options)),
      get: (ref) => around(["get"], [nameOf(ref)], () => store.get(ref)),
      stream: (ref) => around(["get"], [nameOf(ref)], () => store.stream(ref)),
      head: (ref) => around(["head"], [nameOf(ref)], () => store.head(ref)),
      remove: (ref) => around(["remove"], [nameOf(ref)], () => store.remove(ref)),
      async *list(bucket, prefix) {
        pass("before", ["list"], [`${bucket}/${prefix}`]);
        yield* store.list(bucket, prefix);
        pass("after", ["list"], [`${bucket}/${prefix}`]);
      },
    }),
    watchTracker: (tracker) => ({
      ...tracker,
      startRun: (run) => around(["start-run"], [run.experiment], () => tracker.startRun(run)),
      logParams: (runId, params) => around(["log-params"], [runId], () => tracker.logParams(runId, params)),
      logMetrics: (runId, points) =>
        around(["log-metrics"], [runId], () => tracker.logMetrics(runId, points)),
      setTags: (runId, tags) => around(["set-tags"], [runId], () => tracker.setTags(runId, tags)),
      endRun: (runId, status) => around(["end-run"], [runId], () => tracker.endRun(runId, status)),
      putArtifact: (runId, path, bytes) =>
        around(["put-artifact"], [path], () => tracker.putArtifact(runId, path, bytes)),
      registerModel: (version) =>
        around(["register-model"], [version.model], () => tracker.registerModel(version)),
      setModelAlias: (model, alias, version) =>
        around(["set-alias"], [model], () => tracker.setModelAlias(model, alias, version)),
    }),
  };
}

const same = <Port>(port: Port): Port => port;

const nameOf = ({ bucket, key }: ObjectRef): string => `${bucket}/${key}`;

function putOperations({ condition }: PutOptions = {}): readonly FailpointOperation[] {
  if (!condition) return ["put"];
  return ["put", "ifMatch" in condition ? "swap" : "create"];
}

/** Makes the marker durably. @returns false when it was there: somebody has died here before */
function leaveMarker(path: string): boolean {
  if (path === "") return true;
  try {
    const file = openSync(path, "wx");
    fsyncSync(file);
    closeSync(file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}
