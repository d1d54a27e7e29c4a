import type { Artifact } from "@flts/families/artifact";
import { createManualClock } from "@flts/testing/manual-clock";
import { expect, it } from "vitest";
import { startCompute } from "../../src/compute/compute.ts";
import type { ThreadRequest } from "../../src/compute/protocol.ts";
import type { Thread } from "../../src/compute/thread.ts";

const MS_PER_WINDOW = 0.25;

/** A thread that answers each window by itself, and keeps how many windows it was asked for at a time. */
function createFakeThread() {
  const asked: number[] = [];
  const thread: Thread = {
    async ask(request: ThreadRequest) {
      if (request.kind !== "predict") return { rolled: null, durationMs: 0 };
      const { windows, endTimesMs, blocks } = request;
      asked.push(endTimesMs.length);
      if (windows.includes(Number.NaN)) throw new Error("not with me");
      const forecast = Float64Array.from(
        { length: windows.length * blocks },
        (_, at) => windows[Math.floor(at / blocks)]!,
      );
      return {
        rolled: { forecast, windows, endTimesMs },
        durationMs: endTimesMs.length * blocks * MS_PER_WINDOW,
      };
    },
    close: async () => {},
  };
  return { asked, thread };
}

const artifact = {
  manifest: { columns: ["down"], targets: ["down"], window: 1, horizon: 1, step_ms: 1 },
  files: new Map(),
} as unknown as Artifact;

async function createHarness() {
  const [apart, here] = [createFakeThread(), createFakeThread()];
  const compute = await startCompute({
    threads: 1,
    maxBatch: 8,
    clock: createManualClock(),
    onBatch: () => {},
    onCrash: () => {},
    start: () => apart.thread,
    here: here.thread,
  });
  const forecaster = await compute.open(artifact);
  const ask = (count: number, blocks = 1): Promise<Float64Array> =>
    forecaster.roll(new Float64Array(count).fill(7), new Float64Array(count), blocks);
  return { apart: apart.asked, here: here.asked, forecaster, ask };
}

it("computes here what takes less than a millisecond, once it is known what a window takes", async () => {
  const { apart, here, ask } = await createHarness();
  await ask(1);
  expect([apart, here]).toEqual([[1], []]);
  await ask(1);
  await Promise.all([ask(1), ask(2)]);
  expect([apart, here]).toEqual([[1], [1, 3]]);
  await ask(5);
  await ask(1, 5);
  expect(here).toEqual([1, 3]);
});

it("does not try here what failed before", async () => {
  const { here, apart, forecaster, ask } = await createHarness();
  await ask(1);
  const bad = forecaster.predict(Float64Array.of(Number.NaN), Float64Array.of(0));
  await expect(bad).rejects.toThrow("not with me");
  expect(here).toEqual([1]);
  expect(apart).toEqual([1, 1]);
});
