import { keys } from "@flts/common/contracts/layout";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryStore } from "@flts/testing/memory-store";
import { expect, it } from "vitest";
import { createKeptForecasts } from "../../src/live/kept-forecasts.ts";
import { scoreTruth } from "../../src/live/live-error.ts";
import { forecastAfter, tableFrom, tsOf } from "./lines.ts";

const bucket = "inference-logs";

async function createWorld(windowRows = 720) {
  const store = createMemoryStore();
  await store.ensureBucket(bucket);
  /** Everything but the store is new: as after a restart, or in another replica. */
  const replica = () => {
    const kept = createKeptForecasts(store, bucket);
    const deps = { store, bucket, clock: createManualClock(), kept, windowRows };
    const bring = (from: number, down: readonly number[], digest = `table-${from}`) =>
      scoreTruth({ identifier: "", table: tableFrom(from, down), digest, drift: {} }, deps);
    return { kept, bring };
  };
  const keptKeys = async () => {
    const found = [];
    for await (const { key } of store.list(bucket, keys.keptForecastsOf(""))) found.push(key);
    return found;
  };
  return { store, replica, keptKeys };
}

it("scores the rows that were forecast before they came", async () => {
  const { replica } = await createWorld();
  const { kept, bring } = replica();
  await kept.keep("", "a", [forecastAfter(9, [1, 2, 3])]);
  const live = await bring(10, [1, 1]);
  expect(live).toMatchObject({ identifier: "default", rows_scored: 2, scored_until: tsOf(11) });
  expect(live.rows.map(({ targets }) => targets["down"]?.squared)).toEqual([0, 1]);
});

it("scores no row twice, in whatever replica it comes again", async () => {
  const { replica } = await createWorld();
  await replica().kept.keep("", "a", [forecastAfter(9, [1, 2, 3])]);
  await replica().bring(10, [1, 1]);
  const again = await replica().bring(10, [1, 1, 1], "a longer table");
  expect(again.rows.map(({ ts }) => ts)).toEqual([tsOf(10), tsOf(11), tsOf(12)]);
  expect(again.rows_scored).toBe(1);
});

it("answers as the first time when the same table comes again", async () => {
  const { replica } = await createWorld();
  await replica().kept.keep("", "a", [forecastAfter(9, [1])]);
  const first = await replica().bring(10, [1]);
  expect(await replica().bring(10, [1])).toEqual(first);
});

it("does not score a forecast that was made after the row had come", async () => {
  const { replica } = await createWorld();
  const { kept, bring } = replica();
  await bring(0, [1, 1, 1]);
  await kept.keep("", "late", [forecastAfter(0, [1, 1, 1])]);
  expect((await bring(0, [1, 1, 1, 1], "longer")).rows.map(({ ts }) => ts)).toEqual([tsOf(3)]);
});

it("does not go back for a table from before the last one", async () => {
  const { replica } = await createWorld();
  const { bring } = replica();
  await bring(10, [1]);
  expect(await bring(0, [1])).toMatchObject({ rows_scored: 0, scored_until: tsOf(10) });
});

it("forgets forecasts that no later row can meet, and keeps the others", async () => {
  const { replica, keptKeys } = await createWorld();
  const { kept, bring } = replica();
  await kept.keep("", "done", [forecastAfter(9, [1])]);
  await kept.keep("", "open", [forecastAfter(9, [1, 2])]);
  await bring(10, [1]);
  expect((await keptKeys()).map((key) => key.replace(/.*-/, ""))).toEqual(["open.jsonl"]);
});

it("looks back at so many rows", async () => {
  const { replica } = await createWorld(2);
  const { kept, bring } = replica();
  await kept.keep("", "a", [forecastAfter(-1, [1, 2, 3, 4])]);
  await bring(0, [1]);
  expect((await bring(1, [1, 1, 1])).rows.map(({ ts }) => ts)).toEqual([tsOf(2), tsOf(3)]);
});

it("lets one of two replicas win that bring the same station's truth at once; the other tries again", async () => {
  const { replica } = await createWorld();
  await replica().kept.keep("", "a", [forecastAfter(9, [1, 2])]);
  const settled = await Promise.allSettled([replica().bring(10, [1]), replica().bring(10, [1, 1], "longer")]);
  const lost = settled.filter(({ status }) => status === "rejected");
  expect(lost).toEqual([
    expect.objectContaining({ reason: expect.objectContaining({ code: "OBJECT_CONFLICT" }) }),
  ]);
  const live = await replica().bring(10, [1, 1], "longer still");
  expect(live.rows.map(({ ts }) => ts)).toEqual([tsOf(10), tsOf(11)]);
});

it("begins anew where its document or a kept forecast cannot be read", async () => {
  const { store, replica } = await createWorld();
  await store.put({ bucket, key: keys.liveError("") }, Buffer.from("{}"));
  await store.put(
    { bucket, key: keys.keptForecasts("", "20991231T000000", "rot") },
    Buffer.from("rot\n{}\n"),
  );
  const { kept, bring } = replica();
  await kept.keep("", "a", [forecastAfter(9, [1])]);
  expect(await bring(10, [1])).toMatchObject({ rows_scored: 1 });
});

it("keeps stations apart", async () => {
  const { replica } = await createWorld();
  const { kept, bring } = replica();
  await kept.keep("ElBorn", "a", [forecastAfter(9, [1])]);
  expect(await bring(10, [1])).toMatchObject({ rows_scored: 0 });
});
