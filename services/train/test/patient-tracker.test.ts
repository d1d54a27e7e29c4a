import { FltsError } from "@flts/common/contracts/errors";
import { withFaults } from "@flts/testing/faults";
import { expect, test, vi } from "vitest";
import type { TrainDeps } from "../src/train-once.ts";
import { createBench, expectOneResult } from "./bench.ts";
import { fitted } from "./small-model.ts";

const HOUR_MS = 3_600_000;
const away = new FltsError("TRACKER_UNAVAILABLE", "away");

test.each(["logParams", "logMetrics", "putArtifact"] as const)(
  "a model that cannot be stored at first (%s) is stored later, and is not trained again",
  async (operation) => {
    const bench = await createBench();
    const { port: tracker, failNext } = withFaults(bench.tracker);
    failNext(operation, away, 6);
    const train = vi.fn<TrainDeps["train"]>(async () => fitted);
    await bench.publish(bench.claim);
    await bench.start({ tracker, train });
    await bench.clock.advance(60_000);
    await expectOneResult(bench);
    expect(train).toHaveBeenCalledTimes(1);
    expect(await bench.runs()).toMatchObject([{ status: "FINISHED" }]);
    expect(await bench.isDone()).toBe(true);
  },
);

test("a trainer that is stopped while it waits for the tracker leaves the claim to the next one", async () => {
  const bench = await createBench();
  const { port: tracker, failNext } = withFaults(bench.tracker);
  failNext("putArtifact", away, 100_000);
  await bench.publish(bench.claim);
  const stage = await bench.start({ tracker });
  await bench.clock.advance(HOUR_MS);
  await stage.stop();
  expect([await bench.candidates(), await bench.letters(), await bench.isDone()]).toEqual([[], [], false]);
  await bench.start();
  await bench.clock.advance(60_000);
  await expectOneResult(bench);
  expect(await bench.isDone()).toBe(true);
});

test("a fault that no time mends is not waited for", async () => {
  const bench = await createBench();
  const { port: tracker, failNext } = withFaults(bench.tracker);
  failNext("putArtifact", new FltsError("TRACKER_REJECTED", "too large"));
  await bench.publish(bench.claim);
  await bench.start({ tracker });
  await bench.clock.advance(60_000);
  expect(await bench.letters()).toMatchObject([{ code: "TRACKER_REJECTED" }]);
});
