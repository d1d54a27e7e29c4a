import { keys } from "@flts/common/contracts/layout";
import { expect, test } from "vitest";
import { adoptPointers } from "../../src/promotion/adoption.ts";
import { createLedger } from "../../src/promotion/ledger.ts";
import { expectLinear, historyOf } from "../books.ts";
import { bucket } from "../builders.ts";
import { createDyingStore, Death } from "../dying-store.ts";
import type { World } from "../trained-world.ts";
import { openWorld, typed } from "./laying.ts";

test("an adopter killed at any of its calls, and started again, adopts exactly once", async () => {
  for (const key of [keys.head(""), keys.rootHead, "global/abc/current.json"]) {
    const { world, other } = await openWorld();
    const books = await snapshot(world);
    for (const moment of ["before", "after"] as const)
      for (let nth = 1; ; nth++) {
        const store = await restore(world, books);
        await store.put({ bucket, key }, typed(other));
        const dying = createDyingStore(store, nth, moment).store;
        const died = await adoptPointers("", depsOn(world, dying)).then(
          () => false,
          (error: unknown) => error instanceof Death,
        );
        const deps = depsOn(world, store);
        await adoptPointers("", deps);
        await deps.ledger.repairCopy((await deps.ledger.head(""))!); // As every sweep does.
        expect(await historyOf(store), `${key}: ${moment} call ${nth}`).toHaveLength(2);
        await expectLinear(store);
        if (!died) break;
      }
  }
});

const depsOn = (world: World, store: World["store"]) => ({
  ...world.doorDeps,
  store,
  ledger: createLedger(store, bucket),
});

async function snapshot({ store }: World): Promise<ReadonlyMap<string, Uint8Array>> {
  const objects = new Map<string, Uint8Array>();
  for await (const { key } of store.list(bucket, ""))
    objects.set(key, (await store.get({ bucket, key }))!.bytes);
  return objects;
}

/** The world's store with the promotion bucket as it was. */
async function restore({ store }: World, objects: ReadonlyMap<string, Uint8Array>): Promise<World["store"]> {
  for await (const { key } of store.list(bucket, ""))
    if (!objects.has(key)) await store.remove({ bucket, key });
  for (const [key, bytes] of objects) await store.put({ bucket, key }, bytes);
  return store;
}
