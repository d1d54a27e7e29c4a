import { withFaults } from "@flts/testing/faults";
import { expect, test } from "vitest";
import { FltsError } from "../../src/contracts/errors.ts";
import { sha256 } from "../../src/contracts/identity.ts";
import { buckets, keys } from "../../src/contracts/layout.ts";
import { collectGarbage, type GarbageDeps } from "../../src/housekeeping/collect-garbage.ts";
import { GRACE_MS, makeWorld, never, policy } from "./garbage-world.ts";

/** What comes between a collector and its end: outages, orders to stop, and others at work. */

test("a run that cannot be tagged keeps its files: nothing would lead to it again", async () => {
  const { clock, put, startRun, tracker, deps, everything } = await makeWorld();
  const run = await startRun({ work_key: "w" });
  for (const file of ["a", "b"]) await put(buckets.mlflow, `0/${run}/artifacts/LINEAR/${file}`);
  await clock.advance(GRACE_MS + 1);
  const before = await everything();
  const { port, failNext } = withFaults(tracker);
  failNext("setTags", new FltsError("TRACKER_UNAVAILABLE", "down"));
  await expect(collectGarbage({ ...deps, tracker: port }, policy, never)).rejects.toThrow("down");
  expect(await everything()).toEqual(before);
  await collectGarbage({ ...deps, tracker: port }, policy, never);
  expect(await everything()).toEqual([]);
  expect((await tracker.getRun(run))?.tags["artifacts_swept"]).toBeDefined();
});

test.each(["get", "list"] as const)("told to stop during a %s, it looks no further", async (operation) => {
  const { deps, put, clock, everything } = await makeWorld();
  for (const station of ["a", "b", "c"]) await put(buckets.promotion, keys.head(station));
  await put(buckets.processed, keys.processedTable("", sha256("t"), "processed_data"));
  await clock.advance(GRACE_MS + 1);
  const before = await everything();
  const stopping = new AbortController();
  let calls = 0;
  const store = {
    ...deps.store,
    [operation]: (...args: never[]) => {
      calls += 1;
      stopping.abort(new Error("stopping"));
      return (deps.store[operation] as (...given: never[]) => unknown)(...args);
    },
  };
  await expect(collectGarbage({ ...deps, store }, policy, stopping.signal)).rejects.toThrow("stopping");
  expect(calls).toBeLessThanOrEqual(2);
  expect(await everything()).toEqual(before);
});

test("a table that is stored again while garbage is collected stays", async () => {
  const world = await makeWorld();
  const { clock, put, deps, everything } = world;
  const key = keys.processedTable("", sha256("t"), "processed_data");
  const table = await put(buckets.processed, key);
  await clock.advance(GRACE_MS + 1);
  const log = {
    ...deps.log,
    // The references are being sought: a preprocess job arrives at the same bytes.
    async *browse(topic: string) {
      await clock.advance(1);
      await put(buckets.processed, key);
      yield* deps.log.browse(topic);
    },
  };
  expect((await collectGarbage({ ...deps, log }, policy, never)).swept).toEqual([]);
  expect(await everything()).toEqual([table]);
});

test.each(["log", "store"] as const)("while the %s cannot be read nothing is swept", async (which) => {
  const { clock, put, deps, everything } = await makeWorld();
  const table = await put(buckets.processed, keys.processedTable("", sha256("t"), "processed_data"));
  await put(buckets.promotion, keys.head(""));
  await clock.advance(GRACE_MS + 1);
  const down = new FltsError(which === "log" ? "LOG_UNAVAILABLE" : "STORE_UNAVAILABLE", "down");
  const broken: GarbageDeps =
    which === "log"
      ? {
          ...deps,
          log: {
            ...deps.log,
            browse: () => {
              throw down;
            },
          },
        }
      : { ...deps, store: { ...deps.store, get: () => Promise.reject(down) } };
  await expect(collectGarbage(broken, policy, never)).rejects.toThrow("down");
  expect(await everything()).toContain(table);
});
