import process from "node:process";
import { createMlflowTracker } from "@flts/backends/mlflow/mlflow-tracker";
import { createSystemClock } from "@flts/backends/system-clock";
import { runTrackerContract } from "@flts/testing/contract/run-tracker";

const uri = process.env["MLFLOW_TRACKING_URI"];
if (!uri) throw new Error("MLFLOW_TRACKING_URI must name an MLflow server");

const open = () =>
  createMlflowTracker({
    settings: {
      MLFLOW_TRACKING_URI: uri,
      MLFLOW_TRACKING_USERNAME: "",
      MLFLOW_TRACKING_PASSWORD: "",
      MLFLOW_TRACKING_TOKEN: "",
    },
    store: null,
    clock: createSystemClock(),
  });

runTrackerContract("MLflow, files through its proxy", async () => {
  const [tracker, other] = [open(), open()];
  return {
    tracker,
    other,
    close: async () => {
      await tracker.close();
      await other.close();
    },
  };
});
