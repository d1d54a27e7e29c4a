import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { askMlflow, openTracker } from "./open-tracker.ts";

const tracker = openTracker();
afterAll(() => tracker.close());
const session = Date.now().toString(36);

test("an experiment that many clients need at once is made once", async () => {
  const experiment = `race-${session}`;
  const runs = await Promise.all(
    Array.from({ length: 6 }, () => openTracker().startRun({ experiment, name: "GRU", tags: {} })),
  );
  const found = await tracker.findRuns(experiment, {});
  expect(found.map(({ runId }) => runId).toSorted()).toStrictEqual(runs.map(({ runId }) => runId).toSorted());
});

test("an experiment that somebody deleted is restored when a run needs it", async () => {
  const experiment = `deleted-${session}`;
  await tracker.startRun({ experiment, name: "LSTM", tags: {} });
  const { experiments } = z
    .object({ experiments: z.array(z.object({ experiment_id: z.string() })) })
    .parse(await askMlflow("experiments/search", { filter: `name = '${experiment}'`, max_results: 1 }));
  await askMlflow("experiments/delete", { experiment_id: experiments[0]?.experiment_id });
  expect(await tracker.findRuns(experiment, {})).toStrictEqual([]);
  const second = await tracker.startRun({ experiment, name: "LSTM", tags: {} });
  const found = await tracker.findRuns(experiment, {});
  expect(found.map(({ runId }) => runId)).toContain(second.runId);
});

test("a run that somebody deleted is no longer found", async () => {
  const experiment = `runs-${session}`;
  const { runId } = await tracker.startRun({ experiment, name: "LSTM", tags: { a: "1" } });
  await askMlflow("runs/delete", { run_id: runId });
  expect(await tracker.getRun(runId)).toBeNull();
  expect(await tracker.findRuns(experiment, { a: "1" })).toStrictEqual([]);
  await expect(tracker.setTags(runId, { a: "2" })).rejects.toMatchObject({ code: "TRACKER_REJECTED" });
});
