import { runTrackerContract } from "@flts/testing/contract/run-tracker";
import { open as openStore } from "../s3/open-s3-store.ts";
import { askMlflow, openTracker } from "./open-tracker.ts";

runTrackerContract("MLflow, files through its proxy", async () => {
  const [tracker, other] = [openTracker(), openTracker()];
  return {
    tracker,
    other,
    close: async () => {
      await tracker.close();
      await other.close();
    },
  };
});

runTrackerContract("MLflow, files straight in S3", async () => {
  const store = await openStore();
  const bucket = `contract-${Date.now().toString(36)}`;
  await store.ensureBucket(bucket);
  const [tracker, other] = [openTracker(store), openTracker(store)];
  return {
    tracker: {
      ...tracker,
      // An experiment's place is given when it is made, by a person or by the server's own setting.
      startRun: async (run) => {
        if (run.experiment !== "Default")
          await askMlflow("experiments/create", {
            name: run.experiment,
            artifact_location: `s3://${bucket}/${run.experiment}`,
          }).catch(() => {});
        return tracker.startRun(run);
      },
    },
    other,
    close: async () => {
      await tracker.close();
      await other.close();
      await store.close();
    },
  };
});
