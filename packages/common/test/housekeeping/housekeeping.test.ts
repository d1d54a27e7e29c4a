import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryLog } from "@flts/testing/memory-log";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createMemoryTracker } from "@flts/testing/memory-tracker";
import { expect, test } from "vitest";
import { buckets, keys } from "../../src/contracts/layout.ts";
import { startHousekeeping } from "../../src/housekeeping/housekeeping.ts";
import type { Logger } from "../../src/service/logger.ts";
import { pipelineTopics } from "../../src/stage/topics.ts";

const DAY_MS = 86_400_000;

test("the house is kept at the start and every day, and a day that fails does not end it", async () => {
  const clock = createManualClock(Date.UTC(2026, 0, 5));
  const store = createMemoryStore({ clock });
  for (const bucket of Object.values(buckets)) await store.ensureBucket(bucket);
  const part = { bucket: buckets.inferenceLogs, key: keys.inferenceLogPart("", "20260105", "a") };
  await store.put(part, Buffer.from("1\n"));
  const lines: string[] = [];
  const logger: Logger = {
    info: (event) => lines.push(event),
    warn: (event) => lines.push(event),
    error: (event) => lines.push(event),
    with: () => logger,
  };
  let isDown = false;
  const log = createMemoryLog({ clock });
  await log.ensureTopics(pipelineTopics(1));
  const housekeeping = startHousekeeping(
    {
      log: {
        ...log,
        browse: (topic) => {
          if (isDown) throw new Error("down");
          return log.browse(topic);
        },
      },
      store,
      tracker: createMemoryTracker({ clock }),
      clock,
      logger,
      processedBucket: buckets.processed,
      promotionBucket: buckets.promotion,
      runsBucket: buckets.mlflow,
      logsBucket: buckets.inferenceLogs,
    },
    { GC_INTERVAL_MS: DAY_MS, GC_GRACE_MS: 8 * DAY_MS, GC_KEEP_EPOCHS: 3 },
  );
  await clock.advance(1_000);
  expect(lines).toEqual(["garbage_collected"]);
  isDown = true;
  await clock.advance(DAY_MS);
  isDown = false;
  await clock.advance(DAY_MS);
  expect(lines.slice(1)).toEqual(["housekeeping_fail", "garbage_collected", "inference_log_compacted"]);
  await housekeeping.stop();
  await clock.advance(10 * DAY_MS);
  expect(lines).toHaveLength(4);
});
