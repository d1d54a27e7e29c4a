import { describe, expect, test } from "vitest";
import { expectCode } from "../expect-code.ts";
import { absentRun, type TrackerSuite } from "./suite.ts";

export function records(suite: TrackerSuite): void {
  describe("parameters, metrics and tags", () => {
    test("starts a run under an id of 32 hexadecimal digits", async () => {
      const info = await suite.tracker.startRun({
        experiment: suite.experiment,
        name: "LSTM",
        tags: { work_key: "k" },
      });
      expect(info).toMatchObject({ experiment: suite.experiment, name: "LSTM" });
      expect(info.runId).toMatch(/^[0-9a-f]{32}$/);
      expect(info.artifactUri).toContain(info.runId);
      expect(await suite.tracker.getRun(info.runId)).toMatchObject({
        ...info,
        status: "RUNNING",
        endedAt: null,
        params: {},
        metrics: {},
        tags: { work_key: "k" },
      });
    });

    test("takes runs in the default experiment", async () => {
      const { runId } = await suite.tracker.startRun({ experiment: "Default", name: "GRU", tags: {} });
      expect(await suite.tracker.getRun(runId)).toMatchObject({ experiment: "Default" });
    });

    test("ends a run with a status and a time", async () => {
      for (const status of ["FINISHED", "FAILED", "KILLED"] as const) {
        const runId = await suite.start();
        await suite.tracker.endRun(runId, status);
        const ended = await suite.tracker.getRun(runId);
        expect(ended?.status).toBe(status);
        expect(ended?.endedAt).toBeGreaterThanOrEqual(ended?.startedAt ?? Number.POSITIVE_INFINITY);
      }
    });

    test("keeps parameters as they were first given", async () => {
      const runId = await suite.start();
      await suite.tracker.logParams(runId, { epochs: "10", model_type: "LSTM" });
      await suite.tracker.logParams(runId, { epochs: "10", device: "cpu" });
      await expectCode("TRACKER_REJECTED", suite.tracker.logParams(runId, { epochs: "20" }), /epochs/);
      expect((await suite.tracker.getRun(runId))?.params).toStrictEqual({
        epochs: "10",
        model_type: "LSTM",
        device: "cpu",
      });
    });

    test("keeps every point of a metric and shows the one of the highest step", async () => {
      const runId = await suite.start();
      await suite.tracker.logMetrics(runId, [
        { name: "test_rmse", step: 1, value: 0.5 },
        { name: "train_loss", step: 1, value: 9 },
      ]);
      await suite.tracker.logMetrics(runId, [{ name: "test_rmse", step: 3, value: 0.25 }]);
      await suite.tracker.logMetrics(runId, [{ name: "test_rmse", step: 2, value: 0.75 }]);
      expect((await suite.tracker.getRun(runId))?.metrics).toStrictEqual({ test_rmse: 0.25, train_loss: 9 });
      expect(await suite.tracker.metricHistory(runId, "test_rmse")).toStrictEqual([
        { name: "test_rmse", step: 1, value: 0.5 },
        { name: "test_rmse", step: 2, value: 0.75 },
        { name: "test_rmse", step: 3, value: 0.25 },
      ]);
      expect(await suite.tracker.metricHistory(runId, "absent")).toStrictEqual([]);
    });

    test("keeps what a diverging training logs", async () => {
      const runId = await suite.start();
      await suite.tracker.logMetrics(runId, [
        { name: "loss", step: 1, value: Number.NaN },
        { name: "peak", step: 1, value: Number.POSITIVE_INFINITY },
      ]);
      expect((await suite.tracker.getRun(runId))?.metrics).toStrictEqual({
        loss: Number.NaN,
        peak: Number.POSITIVE_INFINITY,
      });
    });

    test("sets tags, and sets them anew", async () => {
      const runId = await suite.start({ a: "1", b: "1" });
      await suite.tracker.setTags(runId, { b: "2", c: "2" });
      expect((await suite.tracker.getRun(runId))?.tags).toMatchObject({ a: "1", b: "2", c: "2" });
    });

    test("takes more parameters, tags and points at once than MLflow does", async () => {
      const runId = await suite.start();
      await suite.tracker.logParams(runId, numbered("param"));
      await suite.tracker.setTags(runId, numbered("tag"));
      const points = Array.from({ length: 2300 }, (_, step) => ({
        name: "loss",
        step,
        value: 1 / (step + 1),
      }));
      await suite.tracker.logMetrics(runId, points);
      const { params, tags } = (await suite.tracker.getRun(runId)) ?? {};
      expect(params).toStrictEqual(numbered("param"));
      expect(tags).toMatchObject(numbered("tag"));
      expect(await suite.tracker.metricHistory(runId, "loss")).toStrictEqual(points);
    });

    test("knows no run that was not started", async () => {
      expect(await suite.tracker.getRun(absentRun)).toBeNull();
      for (const request of [
        () => suite.tracker.logParams(absentRun, { a: "1" }),
        () => suite.tracker.logMetrics(absentRun, [{ name: "a", step: 1, value: 1 }]),
        () => suite.tracker.setTags(absentRun, { a: "1" }),
        () => suite.tracker.endRun(absentRun, "FINISHED"),
        () => suite.tracker.metricHistory(absentRun, "a"),
        () => suite.tracker.putArtifact(absentRun, "a", new Uint8Array()),
        () => suite.tracker.getArtifact(absentRun, "a"),
        () => suite.tracker.listArtifacts(absentRun, ""),
      ]) {
        await expectCode("RUN_MISSING", request(), new RegExp(absentRun));
      }
    });

    test("loses nothing of what two clients write at once", async () => {
      const runId = await suite.start();
      const clients = [suite.tracker, suite.other];
      await Promise.all(
        Array.from({ length: 20 }, (_, number) => {
          const client = clients[number % 2] ?? suite.tracker;
          return Promise.all([
            client.setTags(runId, { [`tag-${number}`]: "set" }),
            client.logParams(runId, { [`param-${number}`]: "given" }),
            client.logMetrics(runId, [{ name: "loss", step: number + 1, value: number }]),
          ]);
        }),
      );
      const { params, tags } = (await suite.other.getRun(runId)) ?? {};
      expect(Object.keys(tags ?? {}).filter((tag) => tag.startsWith("tag-"))).toHaveLength(20);
      expect(Object.keys(params ?? {})).toHaveLength(20);
      expect(await suite.other.metricHistory(runId, "loss")).toHaveLength(20);
    });

    test("answers a ping", async () => {
      await expect(suite.tracker.ping()).resolves.toBeUndefined();
    });
  });
}

/** 230 values with names that begin alike: more than MLflow takes in one request. */
const numbered = (kind: string): Record<string, string> =>
  Object.fromEntries(Array.from({ length: 230 }, (_, number) => [`${kind}-${number}`, "x".repeat(40)]));
