import type { RunTracker } from "@flts/common/ports/run-tracker";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { expectCode } from "./expect-code.ts";
import { models } from "./run-tracker-models.ts";

/** A tracker as the suite meets it. */
export interface TrackerHarness {
  readonly tracker: RunTracker;
  /** The same runs through another client, as another process has it; the tracker itself where there is but one. */
  readonly other: RunTracker;
  close(): Promise<void>;
}

/** What every RunTracker promises. `open` brings a tracker; the suite makes experiments of its own in it. */
export function runTrackerContract(name: string, open: () => Promise<TrackerHarness>): void {
  describe(`run tracker contract: ${name}`, () => {
    let harness: TrackerHarness;
    let tracker: RunTracker;
    let experiment: string;
    let experiments = 0;
    const run = Date.now().toString(36);
    const start = async (tags: Readonly<Record<string, string>> = {}): Promise<string> =>
      (await tracker.startRun({ experiment, name: "LSTM", tags })).runId;
    const absent = "0123456789abcdef0123456789abcdef";

    beforeAll(async () => {
      harness = await open();
      tracker = harness.tracker;
    });
    afterAll(() => harness.close());
    beforeEach(() => {
      experiments += 1;
      experiment = `contract-${run}-${experiments}`;
    });

    test("starts a run under an id of 32 hexadecimal digits", async () => {
      const info = await tracker.startRun({ experiment, name: "LSTM", tags: { work_key: "k" } });
      expect(info).toMatchObject({ experiment, name: "LSTM" });
      expect(info.runId).toMatch(/^[0-9a-f]{32}$/);
      expect(info.artifactUri).toContain(info.runId);
      expect(await tracker.getRun(info.runId)).toMatchObject({
        ...info,
        status: "RUNNING",
        endedAt: null,
        params: {},
        metrics: {},
        tags: { work_key: "k" },
      });
    });

    test("takes runs in the default experiment", async () => {
      const { runId } = await tracker.startRun({ experiment: "Default", name: "GRU", tags: {} });
      expect(await tracker.getRun(runId)).toMatchObject({ experiment: "Default" });
    });

    test("ends a run with a status and a time", async () => {
      for (const status of ["FINISHED", "FAILED", "KILLED"] as const) {
        const runId = await start();
        await tracker.endRun(runId, status);
        const ended = await tracker.getRun(runId);
        expect(ended?.status).toBe(status);
        expect(ended?.endedAt).toBeGreaterThanOrEqual(ended?.startedAt ?? Number.POSITIVE_INFINITY);
      }
    });

    test("keeps parameters as they were first given", async () => {
      const runId = await start();
      await tracker.logParams(runId, { epochs: "10", model_type: "LSTM" });
      await tracker.logParams(runId, { epochs: "10", device: "cpu" });
      await expectCode("TRACKER_REJECTED", tracker.logParams(runId, { epochs: "20" }), /epochs/);
      expect((await tracker.getRun(runId))?.params).toStrictEqual({
        epochs: "10",
        model_type: "LSTM",
        device: "cpu",
      });
    });

    test("keeps every point of a metric and shows the one of the highest step", async () => {
      const runId = await start();
      await tracker.logMetrics(runId, [
        { name: "test_rmse", step: 1, value: 0.5 },
        { name: "train_loss", step: 1, value: 9 },
      ]);
      await tracker.logMetrics(runId, [{ name: "test_rmse", step: 3, value: 0.25 }]);
      await tracker.logMetrics(runId, [{ name: "test_rmse", step: 2, value: 0.75 }]);
      expect((await tracker.getRun(runId))?.metrics).toStrictEqual({ test_rmse: 0.25, train_loss: 9 });
      expect(await tracker.metricHistory(runId, "test_rmse")).toStrictEqual([
        { name: "test_rmse", step: 1, value: 0.5 },
        { name: "test_rmse", step: 2, value: 0.75 },
        { name: "test_rmse", step: 3, value: 0.25 },
      ]);
      expect(await tracker.metricHistory(runId, "absent")).toStrictEqual([]);
    });

    test("keeps what a diverging training logs", async () => {
      const runId = await start();
      await tracker.logMetrics(runId, [
        { name: "loss", step: 1, value: Number.NaN },
        { name: "peak", step: 1, value: Number.POSITIVE_INFINITY },
      ]);
      expect((await tracker.getRun(runId))?.metrics).toStrictEqual({
        loss: Number.NaN,
        peak: Number.POSITIVE_INFINITY,
      });
    });

    test("sets tags, and sets them anew", async () => {
      const runId = await start({ a: "1", b: "1" });
      await tracker.setTags(runId, { b: "2", c: "2" });
      expect((await tracker.getRun(runId))?.tags).toMatchObject({ a: "1", b: "2", c: "2" });
    });

    test("finds the runs of an experiment that carry every tag", async () => {
      const [one, two] = [
        await start({ work_key: "w", kind: "a" }),
        await start({ work_key: "w", kind: "b" }),
      ];
      const three = await start();
      await tracker.setTags(three, { work_key: "w" });
      const found = async (tags: Readonly<Record<string, string>>, within: string | null = experiment) =>
        (await tracker.findRuns(within, tags)).map(({ runId }) => runId).toSorted();
      expect(await found({ work_key: "w" })).toStrictEqual([one, two, three].toSorted());
      expect(await found({ work_key: "w", kind: "a" })).toStrictEqual([one]);
      expect(await found({ work_key: "w", kind: "c" })).toStrictEqual([]);
      expect(await found({ work_key: "w", kind: "b" }, "another experiment")).toStrictEqual([]);
      expect(await found({})).toStrictEqual([one, two, three].toSorted());
      expect(await found({ kind: "a" }, null)).toContain(one);
    });

    test("does not find a run by a tag that it had before", async () => {
      const runId = await start({ stage: "before" });
      await tracker.setTags(runId, { stage: "after" });
      expect(await tracker.findRuns(experiment, { stage: "before" })).toStrictEqual([]);
      expect(await tracker.findRuns(experiment, { stage: "after" })).toMatchObject([{ runId }]);
    });

    test("keeps artifacts under relative paths, replaces them, and lists them by folder", async () => {
      const runId = await start();
      await tracker.putArtifact(runId, "LSTM/model.onnx", Buffer.from("first"));
      await tracker.putArtifact(runId, "LSTM/model.onnx", Buffer.from("second"));
      await tracker.putArtifact(runId, "LSTM/data/MLmodel", Buffer.from("x"));
      await tracker.putArtifact(runId, "LSTM2/other", new Uint8Array());
      const bytes = await tracker.getArtifact(runId, "LSTM/model.onnx");
      expect(bytes && Buffer.from(bytes).toString()).toBe("second");
      expect(await tracker.getArtifact(runId, "LSTM/absent")).toBeNull();
      expect(await tracker.listArtifacts(runId, "LSTM")).toStrictEqual([
        "LSTM/data/MLmodel",
        "LSTM/model.onnx",
      ]);
      expect(await tracker.listArtifacts(runId, "")).toHaveLength(3);
      expect(await tracker.listArtifacts(runId, "absent")).toStrictEqual([]);
    });

    test("carries an artifact of 8 MiB unchanged", async () => {
      const runId = await start();
      const bytes = Buffer.alloc(8 * 1024 * 1024, "0123456789abcdef");
      await tracker.putArtifact(runId, "big.bin", bytes);
      expect(Buffer.compare((await tracker.getArtifact(runId, "big.bin")) ?? Buffer.alloc(0), bytes)).toBe(0);
    });

    test("refuses artifact paths that lead elsewhere", async () => {
      const runId = await start();
      for (const path of ["../escape", "/absolute", "a//b", "a/./b", "a/../../b", "", "a\\b"]) {
        await expectCode("TRACKER_REJECTED", tracker.putArtifact(runId, path, new Uint8Array()));
        await expectCode("TRACKER_REJECTED", tracker.getArtifact(runId, path));
      }
    });

    test("knows no run that was not started", async () => {
      expect(await tracker.getRun(absent)).toBeNull();
      for (const request of [
        () => tracker.logParams(absent, { a: "1" }),
        () => tracker.logMetrics(absent, [{ name: "a", step: 1, value: 1 }]),
        () => tracker.setTags(absent, { a: "1" }),
        () => tracker.endRun(absent, "FINISHED"),
        () => tracker.metricHistory(absent, "a"),
        () => tracker.putArtifact(absent, "a", new Uint8Array()),
        () => tracker.getArtifact(absent, "a"),
        () => tracker.listArtifacts(absent, ""),
      ]) {
        await expectCode("RUN_MISSING", request(), new RegExp(absent));
      }
    });

    test("loses nothing of what two clients write at once", async () => {
      const runId = await start();
      const clients = [harness.tracker, harness.other];
      await Promise.all(
        Array.from({ length: 20 }, (_, number) => {
          const client = clients[number % 2] ?? tracker;
          return Promise.all([
            client.setTags(runId, { [`tag-${number}`]: "set" }),
            client.logParams(runId, { [`param-${number}`]: "given" }),
            client.logMetrics(runId, [{ name: "loss", step: number + 1, value: number }]),
          ]);
        }),
      );
      const { params, tags } = (await harness.other.getRun(runId)) ?? {};
      expect(Object.keys(tags ?? {}).filter((tag) => tag.startsWith("tag-"))).toHaveLength(20);
      expect(Object.keys(params ?? {})).toHaveLength(20);
      expect(await harness.other.metricHistory(runId, "loss")).toHaveLength(20);
    });

    test("shows one client what another has done", async () => {
      const runId = await start({ seen: "by both" });
      expect(await harness.other.getRun(runId)).toMatchObject({ runId });
      expect(await harness.other.findRuns(experiment, { seen: "by both" })).toMatchObject([{ runId }]);
      await harness.other.putArtifact(runId, "a", Buffer.from("x"));
      expect(await tracker.listArtifacts(runId, "")).toStrictEqual(["a"]);
    });

    test("answers a ping", async () => {
      await expect(tracker.ping()).resolves.toBeUndefined();
    });

    models({
      get tracker() {
        return harness.tracker;
      },
      get other() {
        return harness.other;
      },
      start,
    });
  });
}
