import { describe, expect, test } from "vitest";
import { expectCode } from "../expect-code.ts";
import type { TrackerSuite } from "./suite.ts";

export function artifacts(suite: TrackerSuite): void {
  describe("artifacts", () => {
    test("keeps artifacts under relative paths, replaces them, and lists them by folder", async () => {
      const runId = await suite.start();
      await suite.tracker.putArtifact(runId, "LSTM/model.onnx", Buffer.from("first"));
      await suite.tracker.putArtifact(runId, "LSTM/model.onnx", Buffer.from("second"));
      await suite.tracker.putArtifact(runId, "LSTM/data/MLmodel", Buffer.from("x"));
      await suite.tracker.putArtifact(runId, "LSTM2/other", new Uint8Array());
      const bytes = await suite.tracker.getArtifact(runId, "LSTM/model.onnx");
      expect(bytes && Buffer.from(bytes).toString()).toBe("second");
      expect(await suite.tracker.getArtifact(runId, "LSTM/absent")).toBeNull();
      expect(await suite.tracker.listArtifacts(runId, "LSTM")).toStrictEqual([
        "LSTM/data/MLmodel",
        "LSTM/model.onnx",
      ]);
      expect(await suite.tracker.listArtifacts(runId, "")).toHaveLength(3);
      expect(await suite.tracker.listArtifacts(runId, "absent")).toStrictEqual([]);
    });

    test("carries an artifact of 8 MiB unchanged", async () => {
      const runId = await suite.start();
      const bytes = Buffer.alloc(8 * 1024 * 1024, "0123456789abcdef");
      await suite.tracker.putArtifact(runId, "big.bin", bytes);
      expect(
        Buffer.compare((await suite.tracker.getArtifact(runId, "big.bin")) ?? Buffer.alloc(0), bytes),
      ).toBe(0);
    });

    test("refuses artifact paths that lead elsewhere", async () => {
      const runId = await suite.start();
      for (const path of ["../escape", "/absolute", "a//b", "a/./b", "a/../../b", "", "a\\b"]) {
        await expectCode("TRACKER_REJECTED", suite.tracker.putArtifact(runId, path, new Uint8Array()));
        await expectCode("TRACKER_REJECTED", suite.tracker.getArtifact(runId, path));
      }
    });

    test("shows one client what another has done", async () => {
      const runId = await suite.start({ seen: "by both" });
      expect(await suite.other.getRun(runId)).toMatchObject({ runId });
      expect(await suite.other.findRuns(suite.experiment, { seen: "by both" })).toMatchObject([{ runId }]);
      await suite.other.putArtifact(runId, "a", Buffer.from("x"));
      expect(await suite.tracker.listArtifacts(runId, "")).toStrictEqual(["a"]);
    });
  });
}
