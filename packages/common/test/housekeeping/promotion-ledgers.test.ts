import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryLog } from "@flts/testing/memory-log";
import { createMemoryStore } from "@flts/testing/memory-store";
import { expect, test } from "vitest";
import { writeDocument } from "../../src/claim-check/documents.ts";
import { modelSelected } from "../../src/contracts/events.ts";
import { buckets, keys } from "../../src/contracts/layout.ts";
import { promotionLedgers } from "../../src/housekeeping/promotion-ledgers.ts";
import { reconcile } from "../../src/housekeeping/reconcile.ts";
import { pipelineTopics } from "../../src/stage/topics.ts";
import { promotionOfEpoch } from "../contracts/documents.ts";

const at = (key: string) => ({ bucket: buckets.promotion, key });

test("a head whose event was never published is told of, once; a pointer laid by hand is left to eval", async () => {
  const clock = createManualClock();
  const log = createMemoryLog({ clock });
  const store = createMemoryStore({ clock });
  await log.ensureTopics(pipelineTopics(1));
  await store.ensureBucket(buckets.promotion);
  await writeDocument(store, at(keys.head("north")), promotionOfEpoch(2));
  await writeDocument(store, at(keys.history("north", 1)), promotionOfEpoch(1));
  await writeDocument(store, at(keys.head("south")), { model_uri: "runs:/x/LSTM" });
  await store.put(at(keys.head("")), Buffer.from("--envelope--"));
  const ledgers = promotionLedgers({ store, log, promotionBucket: buckets.promotion });
  const look = () => reconcile(ledgers, { log, clock, settleMs: 0, signal: new AbortController().signal });
  await log.publish([{ topic: modelSelected.name, key: null, value: Buffer.from("garbage") }]);
  expect(await look()).toEqual(["d:2"]);
  expect(await look()).toEqual([]);
  const ids: unknown[] = [];
  for await (const { value, offset } of log.browse(modelSelected.name))
    if (offset > 0n)
      ids.push((JSON.parse(Buffer.from(value).toString()) as { promotion_id: string }).promotion_id);
  expect(ids).toEqual(["d:2"]);
});
