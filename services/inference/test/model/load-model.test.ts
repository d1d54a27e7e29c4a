import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FltsError } from "@flts/common/contracts/errors";
import { sha256 } from "@flts/common/contracts/identity";
import type { RunTracker } from "@flts/common/ports/run-tracker";
import { encodeManifest, fetchArtifact, storeArtifact } from "@flts/families/artifact";
import { rowCount } from "@flts/forecasting/table/table";
import { withFaults } from "@flts/testing/faults";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createArtifactCache } from "../../src/model/artifact-cache.ts";
import { cachedFetch, loadPromoted } from "../../src/model/load-model.ts";
import { quietLog } from "../fakes.ts";
import { createStation, openHere, promoteLinear } from "../station.ts";

const station = createStation();
let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "flts-cache-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function createHarness() {
  const tracker = withFaults<RunTracker>(createMemoryTracker());
  const promotion = await promoteLinear(station, tracker.port, 1);
  const cache = createArtifactCache({ dir, identifier: "", random: createSeededRandom(1), log: quietLog() });
  const fetch = cachedFetch(tracker.port, cache);
  const trackerDown = (): void =>
    tracker.failNext("getArtifact", new FltsError("TRACKER_UNAVAILABLE", "down"), 100);
  return { tracker, promotion, fetch, trackerDown };
}

it("loads a promoted model that forecasts raw units from raw measurements alone", async () => {
  const { promotion, fetch } = await createHarness();
  const model = await loadPromoted(promotion, fetch, openHere);
  expect(model).toMatchObject({ targets: ["down"], window: 10, horizon: 1 });
  expect(model.inputColumns).toEqual(station.testRaw.columns);
  const { timesMs, values, lower, upper } = await model.forecast(station.testRaw, 3);
  const end = station.testRaw.timesMs[rowCount(station.testRaw) - 1] ?? 0;
  expect([...timesMs]).toEqual([end + 120_000, end + 240_000, end + 360_000]);
  for (const step of [0, 1, 2]) {
    expect(values[step]).toBeGreaterThan(1e6);
    expect(lower[step]).toBeLessThan(values[step] ?? 0);
    expect(upper[step]).toBeGreaterThan(values[step] ?? 0);
  }
  await model.close();
});

it("loads from the cache when the tracker is down", async () => {
  const { promotion, fetch, trackerDown } = await createHarness();
  await (await loadPromoted(promotion, fetch, openHere)).close();
  trackerDown();
  const model = await loadPromoted(promotion, fetch, openHere);
  expect(model.targets).toEqual(["down"]);
  await model.close();
});

it("fetches anew what has changed in the cache", async () => {
  const { promotion, fetch } = await createHarness();
  await (await loadPromoted(promotion, fetch, openHere)).close();
  const run = join(dir, "global", "runs", promotion.run_id);
  for (const file of await readdir(run)) await writeFile(join(run, file), "rot");
  const model = await loadPromoted(promotion, fetch, openHere);
  expect(model.targets).toEqual(["down"]);
  await model.close();
});

it("refuses rotten files of the cache when the tracker is down", async () => {
  const { promotion, fetch, trackerDown } = await createHarness();
  await (await loadPromoted(promotion, fetch, openHere)).close();
  await writeFile(join(dir, "global", "runs", promotion.run_id, sha256("LINEAR/model.onnx")), "rot");
  trackerDown();
  await expect(loadPromoted(promotion, fetch, openHere)).rejects.toMatchObject({
    code: "TRACKER_UNAVAILABLE",
  });
});

it("refuses a model whose file is not the one that was promoted", async () => {
  const { tracker, promotion, fetch } = await createHarness();
  await tracker.port.putArtifact(promotion.run_id, "LINEAR/model.onnx", Buffer.from("another model"));
  await expect(loadPromoted(promotion, fetch, openHere)).rejects.toMatchObject({ code: "ARTIFACT_INVALID" });
});

it("refuses a model that answers its stored example otherwise than when it was made", async () => {
  const { tracker, promotion, fetch } = await createHarness();
  const { run_id: runId, manifest_sha256: manifestSha256 } = promotion;
  const { manifest, files } = await fetchArtifact(tracker.port, { runId, family: "LINEAR", manifestSha256 });
  const forecast = manifest.self_test.forecast.map((value) => value * 1.01);
  const altered = { ...manifest, self_test: { ...manifest.self_test, forecast } };
  await storeArtifact(tracker.port, runId, { manifest: altered, files });
  const repromoted = { ...promotion, manifest_sha256: sha256(encodeManifest(altered)) };
  await expect(loadPromoted(repromoted, fetch, openHere)).rejects.toThrow(/self test failed/);
});
