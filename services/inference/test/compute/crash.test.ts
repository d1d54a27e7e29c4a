import { FltsError } from "@flts/common/contracts/errors";
import type { Artifact } from "@flts/families/artifact";
import { createManualClock } from "@flts/testing/manual-clock";
import { expect, it } from "vitest";
import { startCompute } from "../../src/compute/compute.ts";
import type { Done, ThreadRequest } from "../../src/compute/protocol.ts";
import type { Thread } from "../../src/compute/thread.ts";

const BATCH_MS = 40;

/** A thread that answers each window by its first number times ten, when it is told to, and can die. */
function createFakeThreads() {
  const threads: { readonly asked: ThreadRequest[]; readonly end: () => void; readonly die: () => void }[] =
    [];
  const start = (onCrash: (error: Error) => void): Thread => {
    const asked: ThreadRequest[] = [];
    const waiting: { request: ThreadRequest; promise: PromiseWithResolvers<Done> }[] = [];
    const end = (): void => {
      for (const { request, promise } of waiting.splice(0))
        if (request.kind === "predict")
          promise.resolve({
            rolled: { forecast: request.windows.map((cell) => cell * 10), windows: null, endTimesMs: null },
            durationMs: BATCH_MS,
          });
    };
    const die = (): void => {
      const error = new FltsError("FORECASTER_CRASHED", "died");
      for (const { promise } of waiting.splice(0)) promise.reject(error);
      onCrash(error);
    };
    threads.push({ asked, end, die });
    return {
      ask(request) {
        asked.push(request);
        const promise = Promise.withResolvers<Done>();
        if (request.kind === "predict") waiting.push({ request, promise });
        else promise.resolve({ rolled: null, durationMs: 0 });
        return promise.promise;
      },
      close: async () => end(),
    };
  };
  return { threads, start };
}

const artifact = {
  manifest: { columns: ["down"], targets: ["down"], window: 1, horizon: 1, step_ms: 1 },
  files: new Map(),
} as unknown as Artifact;

async function createHarness() {
  const clock = createManualClock();
  const { threads, start } = createFakeThreads();
  let crashes = 0;
  const compute = await startCompute({
    threads: 1,
    maxBatch: 8,
    clock,
    onBatch: () => {},
    onCrash: () => (crashes += 1),
    start,
    here: null,
  });
  const forecaster = await compute.open(artifact);
  const ask = (value: number) => forecaster.predict(Float64Array.of(value), Float64Array.of(0));
  /** Lets time pass, and all that follows from it. */
  async function pass(ms: number): Promise<void> {
    await clock.advance(ms);
    for (let turn = 0; turn < 5; turn++) await clock.advance(0);
  }
  return { pass, threads, compute, ask, crashes: () => crashes };
}

it("replaces a thread that died, with its models, and computes again what it had under way", async () => {
  const { pass, threads, compute, ask, crashes } = await createHarness();
  const answers = [ask(1), ask(2)];
  await pass(0);
  threads[0]?.die();
  await pass(0);
  expect([compute.stats().threads, crashes()]).toEqual([0, 1]);
  await pass(500);
  expect(threads[1]?.asked[0]).toMatchObject({ kind: "open" });
  for (const _ of answers) {
    threads[1]?.end();
    await pass(0);
  }
  expect((await Promise.all(answers)).map(([value]) => value)).toEqual([10, 20]);
  expect(compute.stats()).toMatchObject({ threads: 1, busy: 0, waiting: 0 });
});

it("gives up a request that killed two threads, and serves the others", async () => {
  const { pass, threads, ask } = await createHarness();
  const killer = ask(1);
  killer.catch(() => null);
  for (const thread of [0, 1]) {
    await pass(500);
    threads[thread]?.die();
  }
  await expect(killer).rejects.toMatchObject({ code: "FORECASTER_CRASHED", kind: "retryable" });
  const next = ask(2);
  await pass(500);
  threads[2]?.end();
  expect((await next)[0]).toBe(20);
});

it("learns what a window costs from whole batches, however late they are heard of", async () => {
  const { pass, threads, compute, ask } = await createHarness();
  expect(compute.stats().msPerWindow).toBe(0);
  const answers = Array.from({ length: 8 }, (_, value) => ask(value));
  await pass(0);
  expect(compute.stats()).toMatchObject({ busy: 1, waiting: 0 });
  const late = ask(9);
  await pass(1_000);
  expect(compute.stats()).toMatchObject({ waiting: 1, oldestWaitMs: 1_000 });
  threads[0]?.end();
  await Promise.all(answers);
  expect(compute.stats().msPerWindow).toBe(BATCH_MS / 8);
  await pass(0);
  threads[0]?.end();
  await late;
});
