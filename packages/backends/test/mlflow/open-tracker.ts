import process from "node:process";
import type { ObjectStore } from "@flts/common/ports/object-store";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { createMlflowTracker } from "../../src/mlflow/mlflow-tracker.ts";
import { createSystemClock } from "../../src/system-clock.ts";

/** Where the server of this test run is. Without one the tests fail: they must not pass by not running. */
export function serverUri(): string {
  const uri = process.env["MLFLOW_TRACKING_URI"];
  if (uri === undefined || uri === "")
    throw new Error(
      "MLFLOW_TRACKING_URI is not set: start a server, for example with tools/components/mlflow.sh up",
    );
  return uri;
}

export const openTracker = (store: ObjectStore | null = null, uri = serverUri()): RunTracker =>
  createMlflowTracker({
    settings: {
      MLFLOW_TRACKING_URI: uri,
      MLFLOW_TRACKING_USERNAME: "",
      MLFLOW_TRACKING_PASSWORD: "",
      MLFLOW_TRACKING_TOKEN: "",
    },
    store,
    clock: createSystemClock(),
  });

/** Asks MLflow itself, without the adapter. */
export async function askMlflow(method: string, body: object): Promise<unknown> {
  const response = await fetch(`${serverUri()}/api/2.0/mlflow/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method}: ${response.status} ${await response.text()}`);
  return response.json();
}
