import type { Clock } from "@flts/common/ports/clock";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { type MlflowSettings, mlflowAddress } from "./address.ts";
import { answers } from "./answers.ts";
import { createMlflowApi } from "./api.ts";
import { createArtifacts } from "./artifacts.ts";
import { createModels } from "./models.ts";
import { createRuns } from "./runs.ts";

export interface MlflowTrackerOptions {
  readonly settings: MlflowSettings;
  /** For runs whose files lie in S3 itself; null when FLTS has no S3. Closing the tracker leaves it open. */
  readonly store: ObjectStore | null;
  readonly clock: Clock;
}

/** A probe must be told soon. */
const pingTimeoutMs = 5_000;

/**
 * An MLflow server over its REST API, as of MLflow 3. Nothing is opened: a server that is away fails the operations, not this.
 * @throws CONFIG_INVALID
 */
export function createMlflowTracker({ settings, store, clock }: MlflowTrackerOptions): RunTracker {
  const api = createMlflowApi(mlflowAddress(settings), clock);
  return {
    ...createRuns(api, clock),
    ...createArtifacts(api, store),
    ...createModels(api),
    // `/health` answers also those whom the API would turn away, and without a database.
    ping: async () => {
      await api.callUnless(
        "RESOURCE_DOES_NOT_EXIST",
        {
          verb: "GET",
          method: "experiments/get",
          query: { experiment_id: "0" },
          once: true,
          atOnce: true,
          timeoutMs: pingTimeoutMs,
        },
        answers.nothing,
      );
    },
    close: async () => api.close(),
  };
}
