import { afterAll, beforeAll, expect, test } from "vitest";
import { type Link, openLink } from "./link.ts";
import { openTracker, serverUri } from "./open-tracker.ts";

let link: Link;
beforeAll(async () => {
  link = await openLink(serverUri());
});
afterAll(() => link.close());

const unavailable = { code: "TRACKER_UNAVAILABLE", kind: "retryable" };

test("a tracker is opened while the server is away, and works once it is back", async () => {
  link.cut();
  const tracker = openTracker(null, link.uri);
  await expect(tracker.ping()).rejects.toMatchObject(unavailable);
  const run = { experiment: "Default", name: "LSTM", tags: {} };
  await expect(tracker.startRun(run)).rejects.toMatchObject(unavailable);
  link.restore();
  await expect(tracker.ping()).resolves.toBeUndefined();
  expect(await tracker.startRun(run)).toMatchObject({ experiment: "Default" });
  await tracker.close();
});

test("a run goes on where the server went away", async () => {
  const tracker = openTracker(null, link.uri);
  const { runId } = await tracker.startRun({ experiment: "Default", name: "GRU", tags: {} });
  await tracker.logMetrics(runId, [{ name: "loss", step: 1, value: 0.5 }]);
  await tracker.putArtifact(runId, "GRU/model.onnx", Buffer.from("first"));
  link.cut();
  for (const request of [
    () => tracker.logMetrics(runId, [{ name: "loss", step: 2, value: 0.25 }]),
    () => tracker.putArtifact(runId, "GRU/model.onnx", Buffer.from("second")),
    () => tracker.getArtifact(runId, "GRU/model.onnx"),
    () => tracker.endRun(runId, "FINISHED"),
  ])
    await expect(request()).rejects.toMatchObject(unavailable);
  link.restore();
  await tracker.logMetrics(runId, [{ name: "loss", step: 2, value: 0.125 }]);
  await tracker.endRun(runId, "FINISHED");
  expect(await tracker.getRun(runId)).toMatchObject({ status: "FINISHED", metrics: { loss: 0.125 } });
  const bytes = await tracker.getArtifact(runId, "GRU/model.onnx");
  expect(bytes && Buffer.from(bytes).toString()).toBe("first");
  await tracker.close();
});

test("metrics whose answer was lost are logged once", async () => {
  const tracker = openTracker(null, link.uri);
  const { runId } = await tracker.startRun({ experiment: "Default", name: "GRU", tags: {} });
  link.loseNextAnswer();
  const points = [
    { name: "loss", step: 1, value: 0.5 },
    { name: "loss", step: 2, value: 0.25 },
  ];
  await tracker.logMetrics(runId, points);
  expect(await tracker.metricHistory(runId, "loss")).toStrictEqual(points);
  await tracker.close();
});

test("a server that is called by a name it does not know says how to let it in", async () => {
  const misnamed = await openLink(serverUri(), "elsewhere.example");
  const tracker = openTracker(null, misnamed.uri);
  await expect(tracker.ping()).rejects.toMatchObject({
    code: "TRACKER_FORBIDDEN",
    kind: "fatal",
    message: expect.stringContaining("--allowed-hosts"),
  });
  await tracker.close();
  await misnamed.close();
});
