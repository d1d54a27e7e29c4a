import type { Artifact } from "@flts/families/artifact";
import { fetchArtifact } from "@flts/families/artifact";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Compute, startCompute } from "../../src/compute/compute.ts";
import { createStation, openHere, promoteLinear } from "../station.ts";

let artifact: Artifact;
let compute: Compute;
const batches: number[] = [];

beforeAll(async () => {
  const tracker = createMemoryTracker();
  const { run_id: runId } = await promoteLinear(createStation(), tracker, 1);
  artifact = await fetchArtifact(tracker, { runId, family: "LINEAR", manifestSha256: null });
  compute = await startCompute({
    threads: 1,
    maxBatch: 16,
    clock: createManualClock(),
    onBatch: (windows) => batches.push(windows),
    onCrash: () => {},
  });
});
afterAll(() => compute.close());

/** A window that no other request has. */
function windowOf(request: number): Float64Array {
  const { window } = artifact.manifest.self_test;
  return Float64Array.from(
    window,
    (cell, index) => (cell ?? 0) * (1 + ((request * 7 + index) % 1_000) / 2_000),
  );
}

it("answers a thousand requests at once with what each is answered alone, computed together", async () => {
  const end = Float64Array.of(artifact.manifest.self_test.end_time_ms);
  const alone = await openHere(artifact);
  const together = await compute.open(artifact);
  batches.length = 0;
  const requests = Array.from({ length: 1_000 }, (_, request) => windowOf(request));
  const answers = await Promise.all(requests.map((window) => together.predict(window, end)));
  for (const [request, window] of requests.entries()) {
    const [expected] = await alone.predict(window, end);
    expect(Math.abs(answers[request]![0]! / expected! - 1)).toBeLessThan(1e-6);
  }
  expect(new Set(answers.map(([value]) => value)).size).toBeGreaterThan(900);
  expect(batches.reduce((sum, windows) => sum + windows, 0)).toBe(1_000);
  expect(batches.length).toBeLessThan(200);
  expect(Math.max(...batches)).toBe(16);
  await Promise.all([alone.close(), together.close()]);
});

it("goes on with more threads and with fewer", async () => {
  const end = Float64Array.of(artifact.manifest.self_test.end_time_ms);
  const forecaster = await compute.open(artifact);
  const [expected] = await forecaster.predict(windowOf(1), end);
  for (const threads of [3, 1, 2]) {
    const resized = compute.resize(threads);
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => forecaster.predict(windowOf(1), end)),
    );
    for (const [value] of answers) expect(value! / expected!).toBeCloseTo(1, 9);
    await resized;
    expect(compute.stats().threads).toBe(threads);
  }
  await forecaster.close();
});

it("refuses a model that is none, and keeps the others", async () => {
  const forecaster = await compute.open(artifact);
  const files = new Map([...artifact.files, ["model.onnx", new TextEncoder().encode("rot")]]);
  await expect(compute.open({ manifest: artifact.manifest, files })).rejects.toMatchObject({
    code: "ARTIFACT_INVALID",
  });
  expect(await forecaster.predict(windowOf(1), Float64Array.of(0))).toHaveLength(1);
  await forecaster.close();
});

it("fails what is asked of a model that was closed, and answers the rest", async () => {
  const [closed, open] = [await compute.open(artifact), await compute.open(artifact)];
  await closed.close();
  await closed.close();
  expect(await open.predict(windowOf(1), Float64Array.of(0))).toHaveLength(1);
  await expect(closed.predict(windowOf(1), Float64Array.of(0))).rejects.toThrow("closed");
  await open.close();
});
