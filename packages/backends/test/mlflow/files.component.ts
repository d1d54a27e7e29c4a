import { afterAll, expect, test } from "vitest";
import { openTracker } from "./open-tracker.ts";

const tracker = openTracker();
afterAll(() => tracker.close());

test("a folder is no file, and an empty file is one", async () => {
  const { runId } = await tracker.startRun({ experiment: "Default", name: "LSTM", tags: {} });
  await tracker.putArtifact(runId, "LSTM/empty", new Uint8Array());
  expect(await tracker.getArtifact(runId, "LSTM")).toBeNull();
  expect(await tracker.getArtifact(runId, "LSTM/empty")).toHaveLength(0);
});

test("a name that MLflow does not take is refused", async () => {
  const { runId } = await tracker.startRun({ experiment: "Default", name: "LSTM", tags: {} });
  await expect(tracker.putArtifact(runId, "LSTM/a#b", new Uint8Array(1))).rejects.toMatchObject({
    code: "TRACKER_REJECTED",
  });
});
