import { createManualClock } from "@flts/testing/manual-clock";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { AdmissionOptions, Arrival, Job } from "../../src/predict/admission.ts";
import { openAdmission } from "../fakes.ts";

const MS_PER_WINDOW = 10;
const arrival: Arrival = { timeoutMs: null, isPresent: () => true };

function createHarness(options: Partial<AdmissionOptions> = {}) {
  const clock = createManualClock();
  const waits: number[] = [];
  const admission = openAdmission(clock, {
    compute: () => ({ msPerWindow: MS_PER_WINDOW, threads: 1 }),
    onWait: (waitMs) => waits.push(waitMs),
    ...options,
  });
  /** A request of so many windows that ends when it is told to. */
  function request(windows: number, from: Partial<Arrival> = {}) {
    const end = Promise.withResolvers<string>();
    let job: Job | undefined;
    const outcome = admission.run({ ...arrival, ...from }, (own) => {
      job = own;
      own.expect(windows);
      return end.promise;
    });
    outcome.catch(() => null);
    return { outcome, job, end: () => end.resolve("done") };
  }
  return { clock, waits, admission, request };
}

it("predicts the wait from the windows that are owed, and what a window costs", async () => {
  const { admission, request } = createHarness();
  const first = request(30);
  request(20);
  expect(admission.stats().predictedWaitMs).toBe(500);
  first.job?.computed(10);
  expect(admission.stats().predictedWaitMs).toBe(400);
  first.end();
  await first.outcome;
  expect(admission.stats().predictedWaitMs).toBe(200);
});

it("counts on every thread", () => {
  const { admission, request } = createHarness({
    compute: () => ({ msPerWindow: MS_PER_WINDOW, threads: 4 }),
  });
  request(40);
  expect(admission.stats().predictedWaitMs).toBe(100);
});

it("refuses with 429 whom it would let wait too long, and says when that will have passed", async () => {
  const { admission, request } = createHarness({ maxWaitMs: 1_000 });
  request(350);
  await expect(request(1).outcome).rejects.toMatchObject({
    refusal: { status: 429, detail: "Server busy, try again", headers: { "retry-after": "3" } },
  });
  expect(admission.stats()).toMatchObject({ admitted: 1, refused: 1, pending: 1 });
});

it("refuses at once whoever waits less than the others' work takes", async () => {
  const { admission, request } = createHarness();
  request(50);
  await expect(request(1, { timeoutMs: 499 }).outcome).rejects.toThrow("Server busy, try again");
  request(1, { timeoutMs: 500 });
  expect(admission.stats()).toMatchObject({ admitted: 2, refused: 1 });
});

it("refuses more requests than fit into memory, whatever they cost", async () => {
  const { request } = createHarness({ maxPending: 2 });
  request(0);
  request(0);
  await expect(request(0).outcome).rejects.toThrow("Server busy, try again");
});

it("answers 504 at the deadline, and lets nothing more be computed", async () => {
  const { clock, admission, request } = createHarness();
  const { outcome, job } = request(5, { timeoutMs: 100 });
  await clock.advance(90);
  expect(admission.stats().pending).toBe(1);
  await clock.advance(20);
  await expect(outcome).rejects.toMatchObject({ refusal: { status: 504, detail: "Inference timed out" } });
  expect(() => job?.check()).toThrow("Inference timed out");
  expect(admission.stats()).toMatchObject({ pending: 0, waiting: 0, timedOut: 1, predictedWaitMs: 0 });
});

it("lets no client ask for more time than there is", async () => {
  const { clock, request } = createHarness({ timeoutMs: 50 });
  const { outcome } = request(1, { timeoutMs: 10_000 });
  await clock.advance(60);
  await expect(outcome).rejects.toMatchObject({ refusal: { status: 504 } });
});

it("gives a request with a limit of its own that long, and no longer", async () => {
  const { clock, request } = createHarness({ timeoutMs: 50 });
  const { outcome } = request(1, { timeoutMs: 10_000, limitMs: 500 });
  await clock.advance(400);
  expect(await Promise.race([outcome, Promise.resolve("under way")])).toBe("under way");
  await clock.advance(110);
  await expect(outcome).rejects.toMatchObject({ refusal: { status: 504 } });
});

it("computes nothing for a client that has gone", () => {
  let present = true;
  const { job } = createHarness().request(1, { isPresent: () => present });
  expect(() => job?.check()).not.toThrow();
  present = false;
  expect(() => job?.check()).toThrow("The client closed the connection");
});

it("measures the wait until the first window is computed, once", async () => {
  const { clock, waits, admission, request } = createHarness();
  const { job } = request(2);
  await clock.advance(30);
  job?.check();
  await clock.advance(30);
  job?.check();
  expect(waits).toEqual([30]);
  expect(admission.stats()).toMatchObject({ waiting: 0, pending: 1, lastWaitMs: 30, totalWaitMs: 30 });
});

it("goes on after work that failed", async () => {
  const { admission } = createHarness();
  await expect(admission.run(arrival, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(admission.stats()).toMatchObject({ pending: 0, waiting: 0, completed: 0, predictedWaitMs: 0 });
});

it("owes nothing when all are done, whatever came between", async () => {
  const happening = fc.record({
    windows: fc.nat(20),
    computed: fc.nat(20),
    timeoutMs: fc.option(fc.integer({ min: 1, max: 200 })),
    ends: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 20 }), async (happenings) => {
      const { clock, admission, request } = createHarness({ timeoutMs: 300, maxWaitMs: 150 });
      const outcomes: Promise<unknown>[] = [];
      for (const { windows, computed, timeoutMs, ends } of happenings) {
        const { outcome, job, end } = request(windows, { timeoutMs });
        outcomes.push(outcome.catch((error: unknown) => error));
        job?.check();
        job?.computed(Math.min(windows, computed));
        if (ends) end();
        await clock.advance(7);
      }
      await clock.advance(400);
      await Promise.all(outcomes);
      const { pending, waiting, predictedWaitMs, admitted, refused, completed, timedOut } = admission.stats();
      expect([pending, waiting, predictedWaitMs]).toEqual([0, 0, 0]);
      expect([completed + timedOut, admitted + refused]).toEqual([admitted, happenings.length]);
    }),
    { numRuns: 100 },
  );
});
