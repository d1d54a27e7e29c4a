import { describe, expect, test } from "vitest";
import type { TrackerSuite } from "./suite.ts";

export function search(suite: TrackerSuite): void {
  describe("finding runs", () => {
    test("finds the runs of an experiment that carry every tag", async () => {
      const [one, two] = [
        await suite.start({ work_key: "w", kind: "a" }),
        await suite.start({ work_key: "w", kind: "b" }),
      ];
      const three = await suite.start();
      await suite.tracker.setTags(three, { work_key: "w" });
      const found = async (
        tags: Readonly<Record<string, string>>,
        within: string | null = suite.experiment,
      ) => (await suite.tracker.findRuns(within, tags)).map(({ runId }) => runId).toSorted();
      expect(await found({ work_key: "w" })).toStrictEqual([one, two, three].toSorted());
      expect(await found({ work_key: "w", kind: "a" })).toStrictEqual([one]);
      expect(await found({ work_key: "w", kind: "c" })).toStrictEqual([]);
      expect(await found({ work_key: "w", kind: "b" }, "another experiment")).toStrictEqual([]);
      expect(await found({})).toStrictEqual([one, two, three].toSorted());
      expect(await found({ kind: "a" }, null)).toContain(one);
    });

    test("finds runs by tags of any text", async () => {
      const texts = [
        "it's",
        'a "word"',
        `'both' "kinds"`,
        "back\\slash\\",
        "two\nlines",
        "a and b = 'c'",
        "größer ✓",
        "",
      ];
      const runs = await Promise.all(texts.map((text) => suite.start({ "any text": text })));
      for (const [index, text] of texts.entries())
        expect(await suite.tracker.findRuns(suite.experiment, { "any text": text })).toMatchObject([
          { runId: runs[index] },
        ]);
    });

    test("finds every run where there are many, the newest first", async () => {
      const runs: string[] = [];
      for (let number = 0; number < 12; number += 1) runs.push(await suite.start({ many: "yes" }));
      const found = await suite.tracker.findRuns(suite.experiment, { many: "yes" });
      expect(found.map(({ runId }) => runId).toSorted()).toStrictEqual(runs.toSorted());
      const times = found.map(({ startedAt }) => startedAt);
      expect(times).toStrictEqual(times.toSorted((a, b) => b - a));
    });

    test("does not find a run by a tag that it had before", async () => {
      const runId = await suite.start({ stage: "before" });
      await suite.tracker.setTags(runId, { stage: "after" });
      expect(await suite.tracker.findRuns(suite.experiment, { stage: "before" })).toStrictEqual([]);
      expect(await suite.tracker.findRuns(suite.experiment, { stage: "after" })).toMatchObject([{ runId }]);
    });
  });
}
