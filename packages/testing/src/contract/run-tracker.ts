import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { artifacts } from "./run-tracker/artifacts.ts";
import { models } from "./run-tracker/models.ts";
import { records } from "./run-tracker/records.ts";
import { search } from "./run-tracker/search.ts";
import type { TrackerHarness, TrackerSuite } from "./run-tracker/suite.ts";

/** What every RunTracker promises. `open` brings a tracker; the suite makes experiments and models of its own in it. */
export function runTrackerContract(name: string, open: () => Promise<TrackerHarness>): void {
  describe(`run tracker contract: ${name}`, () => {
    let harness: TrackerHarness;
    const session = Date.now().toString(36);
    let experiments = 0;

    const suite: TrackerSuite = {
      get tracker() {
        return harness.tracker;
      },
      get other() {
        return harness.other;
      },
      get experiment() {
        return `contract-${session}-${experiments}`;
      },
      start: async (tags = {}) =>
        (await suite.tracker.startRun({ experiment: suite.experiment, name: "LSTM", tags })).runId,
    };

    beforeAll(async () => {
      harness = await open();
    });
    afterAll(() => harness.close());
    beforeEach(() => {
      experiments += 1;
    });

    records(suite);
    search(suite);
    artifacts(suite);
    models(suite);
  });
}
