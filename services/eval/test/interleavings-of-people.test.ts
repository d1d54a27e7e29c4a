import { encodeDocument } from "@flts/common/claim-check/documents";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";
import { createSeededRandom } from "@flts/testing/seeded-random";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type EvalDeps, evalStage } from "../src/eval-stage.ts";
import { adoptPointers } from "../src/promotion/adoption.ts";
import { createDoor } from "../src/promotion/door.ts";
import { createLedger } from "../src/promotion/ledger.ts";
import { sweep } from "../src/sweep/sweep.ts";
import { headOf, historyOf, rootCopyOf } from "./books.ts";
import { bucket, context, depsOn, eventOf, patienceFor, storeCandidate } from "./builders.ts";
import { createWorld, type World } from "./trained-world.ts";

/**
 * Evals, operators and their clocks at once: trainings that succeed and fail, events that come twice and in any order, promotions and rollbacks by hand, pointers
 * laid into the store, wall clocks set by an hour. Whatever the order: one linear history, one champion, no run promoted to itself.
 */

const HOUR_MS = 3_600_000;

let orders = 0;

type Act =
  | { readonly kind: "event"; readonly round: string; readonly family: string }
  | { readonly kind: "promote" | "lay"; readonly run: number }
  | { readonly kind: "rollback" }
  | { readonly kind: "sweep" }
  | { readonly kind: "set clock"; readonly byMs: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    kind: fc.constant("event" as const),
    round: fc.constantFrom("a", "b", "c"),
    family: fc.constantFrom("GRU", "LSTM"),
  }),
  fc.record({ kind: fc.constantFrom("promote" as const, "lay" as const), run: fc.nat({ max: 1 }) }),
  fc.constant({ kind: "rollback" } as const),
  fc.constant({ kind: "sweep" } as const),
  fc.record({ kind: fc.constant("set clock" as const), byMs: fc.constantFrom(-HOUR_MS, HOUR_MS) }),
);

const actors = fc.array(fc.array(act, { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 3 });
const failures: fc.Arbitrary<readonly string[]> = fc.uniqueArray(
  fc.constantFrom("a/GRU", "b/LSTM", "c/GRU", "c/LSTM"),
);

test("any interleaving of evals, operators and clocks gives a linear history and one champion", async () => {
  const world = await createWorld();
  const runs = [await world.train({ window: 5, round: "x" }), await world.train({ window: 6, round: "y" })];
  const clean = await snapshot(world.store);
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), actors, failures, async (scheduler, plans, failing) => {
      await restore(world.store, clean);
      for (const round of ["a", "b", "c"])
        for (const family of ["GRU", "LSTM"])
          await storeCandidate(world.store, {
            round,
            family,
            status: failing.includes(`${round}/${family}`) ? "FAILED" : "SUCCESS",
          });
      const play = plans.map(async (plan, name) => {
        const store = scheduled(world.store, scheduler, `actor ${name}`);
        for (const one of plan)
          await perform(one, { world, store, runs: runs.map((run) => run.run_id!), failing });
      });
      await scheduler.waitFor(Promise.all(play));
      const deps = evalOn(world, world.store);
      await sweep(deps, context.signal);
      await sweep(deps, context.signal);

      const history = await historyOf(world.store);
      expect(history.map(({ epoch }) => epoch)).toEqual(history.map((_, index) => index + 1));
      expect(history.map(({ previous_epoch }) => previous_epoch)).toEqual(
        history.map((_, index) => index || null),
      );
      expect(new Set(history.map(({ promotion_id }) => promotion_id)).size).toBe(history.length);
      expect(await headOf(world.store)).toEqual(history.at(-1) ?? null);
      expect(await rootCopyOf(world.store)).toEqual(history.at(-1) ?? null);
      for (const [index, { run_id }] of history.entries())
        expect(run_id).not.toBe(history[index - 1]?.run_id);
      const rounds = history.filter(({ source }) => source === "gate").map(({ round }) => round);
      expect(new Set(rounds).size).toBe(rounds.length);
    }),
    { numRuns: 60 },
  );
});

interface Scene {
  readonly world: World;
  readonly store: ObjectStore;
  readonly runs: readonly string[];
  readonly failing: readonly string[];
}

async function perform(one: Act, { world, store, runs, failing }: Scene): Promise<void> {
  const deps = evalOn(world, store);
  const order = { identifier: "", reason: "because", actor: "kim", force: false };
  // Orders that come at once must not draw the same id.
  const door = createDoor({ ...world.doorDeps, ...deps, random: createSeededRandom(++orders) });
  switch (one.kind) {
    case "event": {
      const status = failing.includes(`${one.round}/${one.family}`) ? "FAILED" : "SUCCESS";
      await evalStage.handle(eventOf({ ...one, status }), deps, context);
      return;
    }
    case "promote":
      await door.promote({ ...order, runId: runs[one.run]! }).catch(unlessRefused);
      return;
    case "rollback":
      // What the made-up trainings left cannot be loaded: only the real ones can come back.
      await door.rollback({ ...order, toEpoch: null }).catch(unlessRefused);
      return;
    case "lay":
      await store.put(
        { bucket, key: keys.head("") },
        encodeDocument({ run_id: runs[one.run], model_type: "LINEAR" }),
      );
      await adoptPointers("", deps);
      return;
    case "sweep":
      return sweep(deps, context.signal);
    case "set clock":
      world.clock.setWallClock(world.clock.now() + one.byMs);
  }
}

const evalOn = (world: World, store: ObjectStore) => {
  const deps: EvalDeps = depsOn(store, {
    tracker: world.tracker,
    clock: world.clock,
    log: world.log,
    ledger: createLedger(store, bucket),
    patience: patienceFor(["GRU", "LSTM"]),
  });
  return {
    ...deps,
    publish: async () => undefined,
    champions: { check: async () => undefined },
    registry: { flush: async () => undefined, follow: async () => undefined },
    onWaiting: () => undefined,
    onChampion: () => undefined,
  };
};

function unlessRefused(error: unknown): void {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code !== "PROMOTION_REFUSED" && code !== "RUN_MISSING") throw error;
}

type Objects = ReadonlyMap<string, Uint8Array>;

async function snapshot(store: ObjectStore): Promise<Objects> {
  const objects = new Map<string, Uint8Array>();
  for await (const { key } of store.list(bucket, ""))
    objects.set(key, (await store.get({ bucket, key }))!.bytes);
  return objects;
}

async function restore(store: ObjectStore, objects: Objects): Promise<void> {
  for await (const { key } of store.list(bucket, ""))
    if (!objects.has(key)) await store.remove({ bucket, key });
}

/** The store, with a point before every call at which the scheduler picks who goes on. */
function scheduled(store: ObjectStore, scheduler: fc.Scheduler, name: string): ObjectStore {
  const turn = (what: string): Promise<void> => scheduler.schedule(Promise.resolve(), `${name}: ${what}`);
  return {
    ...store,
    put: async (ref, ...rest) => {
      await turn(`put ${ref.key}`);
      return store.put(ref, ...rest);
    },
    get: async (ref) => {
      await turn(`get ${ref.key}`);
      return store.get(ref);
    },
    head: async (ref) => {
      await turn(`head ${ref.key}`);
      return store.head(ref);
    },
    remove: async (ref) => {
      await turn(`remove ${ref.key}`);
      return store.remove(ref);
    },
  };
}
