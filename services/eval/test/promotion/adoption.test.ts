import { createStoreTracker } from "@flts/backends/embedded/store-tracker";
import { encodeDocument } from "@flts/common/claim-check/documents";
import type { Candidate } from "@flts/common/contracts/candidate";
import { keys } from "@flts/common/contracts/layout";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { expect, test } from "vitest";
import { evalStage } from "../../src/eval-stage.ts";
import { adoptPointers } from "../../src/promotion/adoption.ts";
import { lastPromotions } from "../../src/promotion/books.ts";
import { createLedger } from "../../src/promotion/ledger.ts";
import { expectLinear, headOf, historyOf, rootCopyOf } from "../books.ts";
import { bucket, context } from "../builders.ts";
import { createDyingStore, Death } from "../dying-store.ts";
import { createWorld, successOf, type World } from "../trained-world.ts";

/** The pointer of the validation report (§5.2 A), as an operator types it. */
const typed = ({ run_id, model_type, config_hash }: Candidate): Uint8Array =>
  encodeDocument({
    model_uri: `s3://mlflow/0/${run_id}/artifacts/${model_type}`,
    run_id,
    experiment_name: "Default",
    model_type,
    config_hash,
    score: 0.6717,
    timestamp: "2025-11-04T23:05:00Z",
  });

/** The reference's own pointer (behaviour §6.4). */
const referencePointer = ({ run_id, model_type, config_hash }: Candidate): Uint8Array =>
  encodeDocument({
    identifier: "",
    config_hash,
    run_id,
    model_type,
    experiment: "Default",
    model_uri: `runs:/${run_id}/${model_type}`,
    rmse: 0.1,
    mae: 0.1,
    mse: 0.01,
    score: 0.08,
    timestamp: "2025-10-02T00:00:00Z",
    weights: { rmse: 0.5, mae: 0.3, mse: 0.2 },
  });

/** The same in the envelope that the reference's gateway stored. */
const enveloped = (candidate: Candidate): Uint8Array =>
  Buffer.concat([
    Buffer.from('--4f2a\r\nContent-Disposition: form-data; name="file"; filename="current.json"\r\n\r\n'),
    referencePointer(candidate),
    Buffer.from("\r\n--4f2a--\r\n"),
  ]);

const lay = (world: World, key: string, bytes: Uint8Array) => world.store.put({ bucket, key }, bytes);

async function openWorld(): Promise<{
  readonly world: World;
  readonly champion: Candidate;
  readonly other: Candidate;
}> {
  const world = await createWorld();
  const champion = await world.train();
  await evalStage.handle(successOf(champion), world.evalDeps(), context);
  return { world, champion, other: await world.train({ window: 5, round: "other" }) };
}

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

test.each<[string, (world: World, other: Candidate) => Promise<Uint8Array> | Uint8Array, string]>([
  ["no run", () => encodeDocument({ promote: "please" }), "POINTER_INVALID"],
  ["an unknown run", (_world, other) => typed({ ...other, run_id: "0".repeat(32) }), "RUN_MISSING"],
  [
    "another configuration",
    (_world, other) => typed({ ...other, config_hash: "e".repeat(64) }),
    "PROMOTION_REFUSED",
  ],
  [
    "another station's run",
    async (world) => typed(await world.train({ identifier: "Sants", round: "s" })),
    "PROMOTION_REFUSED",
  ],
  [
    "another feature schema",
    async (world) => typed(await world.train({ targets: ["up"], round: "t" })),
    "PROMOTION_REFUSED",
  ],
  [
    "a run with a changed file",
    async (world, other) => {
      await world.tracker.putArtifact(other.run_id!, "LINEAR/model.onnx", new Uint8Array([1]));
      return typed(other);
    },
    "ARTIFACT_INVALID",
  ],
])(
  "a pointer to %s is refused, kept on record, and replaced by the head of the history",
  async (_name, make, code) => {
    const { world, champion, other } = await openWorld();
    const bytes = await make(world, other);
    await lay(world, keys.head(""), bytes);
    expect(await adoptPointers("", world.doorDeps)).toEqual([]);
    expect(world.lines.at(-1)).toMatchObject({ event: "promotion_pointer_refused", code });
    expect(await headOf(world.store)).toMatchObject({ epoch: 1, run_id: champion.run_id });
    await expectLinear(world.store);
    const notes: string[] = [];
    for await (const { key } of world.store.list(bucket, "global/pointers/")) notes.push(key);
    expect(notes).toHaveLength(1);
  },
);

test("a pointer that is refused where there is no head to go back to is told of once, and adopted when its run is mended", async () => {
  const world = await createWorld();
  const candidate = await world.train();
  const model = await world.tracker.getArtifact(candidate.run_id!, "LINEAR/model.onnx");
  await world.tracker.putArtifact(candidate.run_id!, "LINEAR/model.onnx", new Uint8Array([1]));
  await lay(world, keys.head(""), typed(candidate));
  for (let look = 0; look < 3; look++) expect(await adoptPointers("", world.doorDeps)).toEqual([]);
  expect(world.lines.filter(({ event }) => event === "promotion_pointer_refused")).toHaveLength(1);
  await world.tracker.putArtifact(candidate.run_id!, "LINEAR/model.onnx", model!);
  expect(await adoptPointers("", world.doorDeps)).toMatchObject([{ epoch: 1 }]);
  await expectLinear(world.store);
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

test.each(["../../mlflow/0", "a/b"])(
  "a pointer to a run called %s is refused and spoils no round",
  async (runId) => {
    const store = createMemoryStore();
    const clock = createManualClock();
    const tracker = await createStoreTracker({ store, clock, random: createSeededRandom(1) });
    const world = await createWorld({ store, tracker });
    const candidate = await world.train();
    await lay(world, keys.head(""), typed({ ...candidate, run_id: runId }));
    await evalStage.handle(successOf(candidate), world.evalDeps(), context);
    expect(world.lines.find(({ event }) => event === "promotion_pointer_refused")).toBeDefined();
    expect(await headOf(world.store)).toMatchObject({ epoch: 1, run_id: candidate.run_id });
  },
);

test("a pointer to the present champion makes no epoch, and gives way to the head", async () => {
  const { world, champion } = await openWorld();
  await lay(world, keys.head(""), typed(champion));
  expect(await adoptPointers("", world.doorDeps)).toEqual([]);
  expect(await headOf(world.store)).toMatchObject({ epoch: 1 });
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

/** Linear, with a run more than once. */
async function expectOrderly({ store }: World): Promise<void> {
  const history = await historyOf(store);
  expect(history.map(({ epoch }) => epoch)).toEqual(history.map((_, index) => index + 1));
  expect(await headOf(store)).toEqual(history.at(-1));
}
