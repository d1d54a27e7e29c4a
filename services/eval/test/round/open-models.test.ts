import { FltsError } from "@flts/common/contracts/errors";
import { familyOf } from "@flts/families/registry";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { afterEach, expect, test, vi } from "vitest";
import { createWorld } from "../trained-world.ts";

/** Models hold memory that no garbage collector frees, and a round is judged again and again while an outage lasts. */

afterEach(() => vi.restoreAllMocks());

/** Counts the forecasters that are loaded and not closed. */
function countOpen(): () => number {
  const linear = familyOf("LINEAR");
  const load = linear.load.bind(linear);
  let open = 0;
  vi.spyOn(linear, "load").mockImplementation(async (files, manifest) => {
    const forecaster = await load(files, manifest);
    open += 1;
    const close = async (): Promise<void> => {
      open -= 1;
      await forecaster.close();
    };
    return { ...forecaster, close };
  });
  return () => open;
}

test("every model is closed when a round is judged", async () => {
  const { train, judge } = await createWorld();
  const candidates = [await train(), await train({ window: 5 })];
  const open = countOpen();
  await judge(candidates);
  expect(open()).toBe(0);
});

test("a tracker that goes away between two models leaves none of them open", async () => {
  const tracker = createMemoryTracker();
  const { train, judge } = await createWorld({ tracker });
  const candidates = [await train(), await train({ window: 5 })];
  const open = countOpen();
  const { getArtifact } = tracker;
  const gone = new FltsError("TRACKER_UNAVAILABLE", "away");
  vi.spyOn(tracker, "getArtifact").mockImplementation((runId, path) =>
    open() > 0 ? Promise.reject(gone) : getArtifact(runId, path),
  );
  await expect(judge(candidates)).rejects.toBe(gone);
  expect(vi.mocked(familyOf("LINEAR").load)).toHaveBeenCalledTimes(1);
  expect(open()).toBe(0);
});
