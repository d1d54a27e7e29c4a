import { createManualClock } from "@flts/testing/manual-clock";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createAdmission } from "../../src/predict/admission.ts";

function createLine(maxActive: number, maxPending: number) {
  const clock = createManualClock();
  const waits: number[] = [];
  const admission = createAdmission({
    maxActive,
    maxPending,
    clock,
    onWait: (waitMs) => void waits.push(waitMs),
  });
  /** A job that takes `ms`. */
  const job = (ms: number): Promise<void> => admission.run(() => clock.sleep(ms));
  return { clock, waits, admission, job };
}

it("does so many jobs at once and lets the others wait their turn", async () => {
  const { clock, waits, admission, job } = createLine(2, 10);
  const jobs = [job(100), job(100), job(100)];
  expect(admission.stats()).toMatchObject({ active: 2, waiting: 1, admitted: 3 });
  await clock.advance(100);
  expect(admission.stats()).toMatchObject({ active: 1, waiting: 0, completed: 2 });
  await clock.advance(100);
  await Promise.all(jobs);
  expect(waits).toEqual([0, 0, 100]);
});

it("refuses with 429 what is beyond the line, and says when the line will have been worked off", async () => {
  const { clock, admission, job } = createLine(2, 4);
  const first = job(3_000);
  await clock.advance(3_000);
  await first;
  const jobs = [job(3_000), job(3_000), job(3_000), job(3_000)];
  await expect(job(1)).rejects.toMatchObject({
    refusal: { status: 429, detail: "Server busy, try again", headers: { "retry-after": "6" } },
  });
  expect(admission.stats()).toMatchObject({ refused: 1, waiting: 2 });
  await clock.advance(6_000);
  await Promise.all(jobs);
});

it("goes on after a job that failed", async () => {
  const { admission, job } = createLine(1, 2);
  await expect(admission.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await job(0);
  expect(admission.stats()).toMatchObject({ active: 0, completed: 2 });
});

it("keeps its bounds, its order and every job, whatever comes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.record({ gapMs: fc.nat(30), lastsMs: fc.nat(50) }), { maxLength: 40 }),
      async (maxActive, room, jobs) => {
        const maxPending = maxActive + room;
        const { clock, admission } = createLine(maxActive, maxPending);
        const begun: number[] = [];
        const outcomes: Promise<number | null>[] = [];
        for (const [index, { gapMs, lastsMs }] of jobs.entries()) {
          await clock.advance(gapMs);
          const work = async (): Promise<number> => {
            begun.push(index);
            await clock.sleep(lastsMs);
            return index;
          };
          outcomes.push(admission.run(work).catch(() => null));
          const { active, waiting } = admission.stats();
          expect(active).toBeLessThanOrEqual(maxActive);
          expect(active + waiting).toBeLessThanOrEqual(maxPending);
        }
        await clock.advance(50 * jobs.length);
        const done = (await Promise.all(outcomes)).filter((index) => index !== null);
        expect(begun).toEqual(done);
        expect(done.length + admission.stats().refused).toBe(jobs.length);
      },
    ),
    { numRuns: 50 },
  );
});
