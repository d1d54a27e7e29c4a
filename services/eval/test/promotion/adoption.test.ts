import { encodeDocument } from "@flts/common/claim-check/documents";
import { keys } from "@flts/common/contracts/layout";
import { expect, test } from "vitest";
import { evalStage } from "../../src/eval-stage.ts";
import { adoptPointers } from "../../src/promotion/adoption.ts";
import { lastPromotions } from "../../src/promotion/books.ts";
import { expectLinear, headOf, historyOf, rootCopyOf } from "../books.ts";
import { bucket, context } from "../builders.ts";
import { createWorld, successOf, type World } from "../trained-world.ts";
import { enveloped, lay, openWorld, referencePointer, typed } from "./laying.ts";

test.each([
  ["the report's schema in place of the head", keys.head(""), typed],
  ["the report's schema where the report lays it", `global/${"c".repeat(64)}/current.json`, typed],
  ["the report's schema at the root", keys.rootHead, typed],
  ["the reference's schema in place of the head", keys.head(""), referencePointer],
  ["the reference's envelope in place of the head", keys.head(""), enveloped],
  ["the reference's envelope at the root", keys.rootHead, enveloped],
])("a pointer of %s becomes the next epoch, with a warning", async (_name, key, pointerOf) => {
  const { world, other } = await openWorld();
  await lay(world, key, pointerOf(other));
  const [promotion, ...more] = await adoptPointers("", world.doorDeps);
  expect(more).toEqual([]);
  expect(promotion).toMatchObject({
    epoch: 2,
    source: "manual",
    run_id: other.run_id,
    manifest_sha256: other.manifest_sha256,
    previous_epoch: 1,
    adopted: { object: key },
  });
  expect(world.lines.at(-1)).toMatchObject({ event: "promotion_pointer_adopted", level: "warn", epoch: 2 });
  await expectLinear(world.store);
  expect(await rootCopyOf(world.store)).toEqual(promotion);
  expect(await adoptPointers("", world.doorDeps)).toEqual([]);
  expect(await historyOf(world.store)).toHaveLength(2);
});

test("the first pointer of a station with no history is its first epoch", async () => {
  const world = await createWorld();
  const candidate = await world.train();
  await lay(world, keys.head(""), typed(candidate));
  expect(await adoptPointers("", world.doorDeps)).toMatchObject([{ epoch: 1, previous_epoch: null }]);
  await expectLinear(world.store);
});

test("a pointer in a station's own folder is adopted for that station", async () => {
  const world = await createWorld();
  const candidate = await world.train({ identifier: "ElBorn" });
  await lay(world, keys.head("ElBorn"), typed(candidate));
  expect(await adoptPointers("ElBorn", world.doorDeps)).toMatchObject([{ identifier: "ElBorn", epoch: 1 }]);
  await expectLinear(world.store, "ElBorn");
});

test.each(["global", "default"])("the default station may be called %s in a pointer", async (identifier) => {
  const { world, other } = await openWorld();
  await lay(world, keys.head(""), encodeDocument({ run_id: other.run_id, model_type: "LINEAR", identifier }));
  expect(await adoptPointers("", world.doorDeps)).toMatchObject([{ epoch: 2, run_id: other.run_id }]);
});

test("the same pointer, laid again after another promotion, is another order", async () => {
  const { world, champion, other } = await openWorld();
  await lay(world, keys.head(""), typed(other));
  await adoptPointers("", world.doorDeps);
  await lay(world, keys.head(""), typed(champion));
  await adoptPointers("", world.doorDeps);
  await lay(world, keys.head(""), typed(other));
  expect(await adoptPointers("", world.doorDeps)).toMatchObject([{ epoch: 4, run_id: other.run_id }]);
  await expectOrderly(world);
});

test("whoever reads the books moves no head over a pointer that was laid a second time", async () => {
  const { world, champion, other } = await openWorld();
  await lay(world, keys.head(""), typed(other));
  await adoptPointers("", world.doorDeps);
  await lay(world, keys.head(""), typed(champion));
  await adoptPointers("", world.doorDeps);
  await lay(world, keys.head(""), typed(other));
  const [latest] = await lastPromotions("", 1, world.doorDeps.ledger);
  expect(latest).toMatchObject({ epoch: 3, run_id: champion.run_id });
  expect(await adoptPointers("", world.doorDeps)).toMatchObject([{ epoch: 4, run_id: other.run_id }]);
});

test("a pointer to the present champion makes no epoch, and gives way to the head", async () => {
  const { world, champion } = await openWorld();
  await lay(world, keys.head(""), typed(champion));
  expect(await adoptPointers("", world.doorDeps)).toEqual([]);
  expect(await headOf(world.store)).toMatchObject({ epoch: 1 });
  await expectLinear(world.store);
});

test("an old history object that is copied over the head is no rollback: the head goes on to the last epoch", async () => {
  const { world, champion, other } = await openWorld();
  await lay(world, keys.head(""), typed(other));
  await adoptPointers("", world.doorDeps);
  const old = await world.store.get({ bucket, key: keys.history("", 1) });
  await lay(world, keys.head(""), old!.bytes);
  expect(await headOf(world.store)).toMatchObject({ epoch: 1, run_id: champion.run_id });
  expect(await adoptPointers("", world.doorDeps)).toEqual([]);
  expect(await world.doorDeps.ledger.head("")).toMatchObject({ epoch: 2, run_id: other.run_id });
  expect(await headOf(world.store)).toMatchObject({ epoch: 2, run_id: other.run_id });
  await expectLinear(world.store);
});

test("a round is decided against a pointer that was laid before, not over it", async () => {
  const { world, other } = await openWorld();
  await lay(world, keys.head(""), typed(other));
  const third = await world.train({ window: 6, round: "third" });
  const emissions = await evalStage.handle(successOf(third), world.evalDeps(), context);
  expect(emissions[0]?.value).toMatchObject({ epoch: 2, run_id: other.run_id, source: "manual" });
  expect(await headOf(world.store)).toMatchObject({ epoch: 2 });
});

async function expectOrderly({ store }: World): Promise<void> {
  const history = await historyOf(store);
  expect(history.map(({ epoch }) => epoch)).toEqual(history.map((_, index) => index + 1));
  expect(await headOf(store)).toEqual(history.at(-1));
}
