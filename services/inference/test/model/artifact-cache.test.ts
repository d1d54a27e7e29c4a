import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FltsError } from "@flts/common/contracts/errors";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { withFaults } from "@flts/testing/faults";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createArtifactCache } from "../../src/model/artifact-cache.ts";
import { promotionOf, quietLog } from "../fakes.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "flts-cache-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const createCache = (home = dir) =>
  createArtifactCache({ dir: home, identifier: "", random: createSeededRandom(1), log: quietLog() });

async function createRun() {
  const tracker = withFaults<RunTracker>(createMemoryTracker());
  const { runId } = await tracker.port.startRun({ experiment: "Default", name: "LINEAR", tags: {} });
  await tracker.port.putArtifact(runId, "LINEAR/model.onnx", Buffer.from("weights"));
  return { tracker, runId };
}

const text = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString();

it("gives a file that was fetched once without asking the tracker again", async () => {
  const { tracker, runId } = await createRun();
  expect(text(await createCache().through(tracker.port).getArtifact(runId, "LINEAR/model.onnx"))).toBe(
    "weights",
  );
  tracker.failNext("getArtifact", new FltsError("TRACKER_UNAVAILABLE", "down"));
  expect(text(await createCache().through(tracker.port).getArtifact(runId, "LINEAR/model.onnx"))).toBe(
    "weights",
  );
});

it("does not keep that a file is absent", async () => {
  const { tracker, runId } = await createRun();
  const through = createCache().through(tracker.port);
  expect(await through.getArtifact(runId, "LINEAR/late")).toBeNull();
  await tracker.port.putArtifact(runId, "LINEAR/late", Buffer.from("there"));
  expect(text(await through.getArtifact(runId, "LINEAR/late"))).toBe("there");
});

it("fetches the files of a forgotten run anew", async () => {
  const { tracker, runId } = await createRun();
  const cache = createCache();
  const through = cache.through(tracker.port);
  await through.getArtifact(runId, "LINEAR/model.onnx");
  await tracker.port.putArtifact(runId, "LINEAR/model.onnx", Buffer.from("mended"));
  await cache.forget(runId);
  expect(text(await through.getArtifact(runId, "LINEAR/model.onnx"))).toBe("mended");
});

it("gives what the tracker gives when nothing can be kept", async () => {
  const { tracker, runId } = await createRun();
  const blocked = join(dir, "a-file");
  await writeFile(blocked, "");
  const through = createCache(blocked).through(tracker.port);
  expect(text(await through.getArtifact(runId, "LINEAR/model.onnx"))).toBe("weights");
});

it("remembers the champion across restarts", async () => {
  await createCache().remember(promotionOf(3));
  expect(await createCache().recall()).toEqual(promotionOf(3));
});

it("recalls nothing from an empty or a damaged folder", async () => {
  expect(await createCache().recall()).toBeNull();
  await createCache().remember(promotionOf(3));
  await writeFile(join(dir, "global", "champion.json"), "{");
  expect(await createCache().recall()).toBeNull();
});

it("keeps the files of the last two champions and no others", async () => {
  const cache = createCache();
  const tracker = { ...createMemoryTracker(), getArtifact: async () => Buffer.from("weights") };
  for (const epoch of [1, 2, 3]) {
    await cache.through(tracker).getArtifact(`run-${epoch}`, "LINEAR/model.onnx");
    await cache.remember(promotionOf(epoch));
  }
  expect((await readdir(join(dir, "global", "runs"))).toSorted()).toEqual(["run-2", "run-3"]);
});

it("refuses a run id that is a path", async () => {
  const through = createCache().through(createMemoryTracker());
  await expect(through.getArtifact("../../etc", "passwd")).rejects.toMatchObject({
    code: "OBJECT_NAME_INVALID",
  });
});
