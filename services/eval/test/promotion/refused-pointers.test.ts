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
import { expectLinear, headOf } from "../books.ts";
import { bucket, context } from "../builders.ts";
import { createWorld, successOf, type World } from "../trained-world.ts";
import { lay, openWorld, typed } from "./laying.ts";

test.each<[string, (world: World, other: Candidate) => Promise<Uint8Array> | Uint8Array, string]>([
  ["no run", () => encodeDocument({ promote: "please" }), "POINTER_INVALID"],
  ["an unknown run", (_world, other) => typed({ ...other, run_id: "0".repeat(32) }), "RUN_MISSING"],
  [
    "another configuration",
    (_world, other) => typed({ ...other, config_hash: "e".repeat(64) }),
    "PROMOTION_REFUSED",
  ],
  [
    "its run, with another station's name,",
    (_world, other) => encodeDocument({ run_id: other.run_id, model_type: "LINEAR", identifier: "Sants" }),
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
