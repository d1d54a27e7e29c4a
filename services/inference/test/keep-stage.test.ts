import type { RunningStage } from "@flts/common/stage/runner";
import { createManualClock } from "@flts/testing/manual-clock";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { expect, it } from "vitest";
import { keepStage } from "../src/keep-stage.ts";

function createWorld() {
  const clock = createManualClock();
  const stages: { stopped: boolean; end: (error: unknown) => void }[] = [];
  const failures: unknown[] = [];
  const stage = keepStage({
    clock,
    random: createSeededRandom(1),
    onFailure: (error) => failures.push(error),
    async start(onFatal): Promise<RunningStage> {
      const state = { stopped: false, end: onFatal };
      stages.push(state);
      if (stages.length === 1) throw new Error("refused");
      return {
        health: () => ({ joined: true, partitions: 1, lastPollAgoMs: 0 }),
        stop: async () => {
          state.stopped = true;
        },
      };
    },
  });
  return { clock, stage, stages, failures };
}

it("starts a stage again that could not be started, or that ended", async () => {
  const { clock, stage, stages, failures } = createWorld();
  await clock.advance(0);
  expect([stage.isAlive(), failures]).toEqual([false, [new Error("refused")]]);
  await clock.advance(1_000);
  expect(stage.isAlive()).toBe(true);
  stages[1]?.end(new Error("lost"));
  await clock.advance(0);
  expect([stage.isAlive(), stages[1]?.stopped, failures.length]).toEqual([false, true, 2]);
  await clock.advance(1_000);
  expect([stage.isAlive(), stages.length]).toEqual([true, 3]);
  await stage.stop();
  expect([stage.isAlive(), stages[2]?.stopped, failures.length]).toEqual([false, true, 2]);
});
