import { expect, test } from "vitest";
import { FltsError } from "../../src/contracts/errors.ts";
import type { Emission } from "../../src/contracts/topic.ts";
import {
  createGate,
  createWorkbench,
  type Gate,
  type Order,
  receiptFor,
  type Workbench,
} from "./workbench.ts";

/**
 * I4: stopping is nobody's fault. Each case stops the stage while it waits at one of its awaits; whatever happens there afterwards, nothing is published,
 * retried, dead-lettered or committed, and the next owner of the partition does the work.
 */

interface Case {
  readonly name: string;
  readonly arrange: (gate: Gate) => {
    readonly handle: (
      event: Order,
      deps: null,
      context: {
        readonly signal: AbortSignal;
        readonly publish: (emissions: readonly Emission[]) => Promise<void>;
      },
    ) => Promise<readonly Emission[]>;
    readonly giveUp?: () => Promise<readonly Emission[]>;
    readonly hands?: Partial<Workbench["hands"]>;
  };
  /** Events that were durable when the stage was stopped, because their publish was under way. */
  readonly published?: number;
}

const poison = () => new FltsError("TABLE_INVALID", "no rows");

const cases: readonly Case[] = [
  {
    name: "the handler, which then ends well",
    arrange: (gate) => ({
      handle: async (event) => {
        await gate.pass();
        return [receiptFor(event)];
      },
    }),
  },
  ...[
    poison(),
    new FltsError("STORE_UNAVAILABLE", "down"),
    new FltsError("BUCKET_MISSING", "x"),
    new Error("bug"),
  ].map(
    (error): Case => ({
      name: `the handler, which then throws ${error instanceof FltsError ? error.code : "a bug"}`,
      arrange: (gate) => ({
        handle: async () => {
          await gate.pass();
          throw error;
        },
      }),
    }),
  ),
  {
    name: "the handler, which then publishes on its way",
    arrange: (gate) => ({
      handle: async (event, _deps, { publish }) => {
        await gate.pass();
        await publish([receiptFor(event)]);
        return [];
      },
    }),
  },
  {
    name: "a publish, which then succeeds",
    arrange: (gate) => ({
      handle: async (event) => [receiptFor(event)],
      hands: {
        publish: async (proceed) => {
          await gate.pass();
          await proceed();
        },
      },
    }),
    published: 1,
  },
  {
    name: "a publish, which then fails",
    arrange: (gate) => ({
      handle: async (event) => [receiptFor(event)],
      hands: {
        publish: async () => {
          await gate.pass();
          throw new FltsError("LOG_UNAVAILABLE", "down");
        },
      },
    }),
  },
  {
    name: "a commit, which then fails",
    arrange: (gate) => ({
      handle: async () => [],
      hands: {
        commit: async () => {
          await gate.pass();
          throw new FltsError("LOG_UNAVAILABLE", "down");
        },
      },
    }),
  },
  {
    name: "the farewell of a message given up",
    arrange: (gate) => ({
      handle: () => Promise.reject(poison()),
      giveUp: async () => {
        await gate.pass();
        return [];
      },
    }),
  },
  {
    name: "the writing of a dead letter, which then fails",
    arrange: (gate) => ({
      handle: () => Promise.reject(poison()),
      hands: {
        publish: async () => {
          await gate.pass();
          throw new FltsError("LOG_UNAVAILABLE", "down");
        },
      },
    }),
  },
];

test.each(cases)("stopped in $name", async ({ arrange, published = 0 }) => {
  const gate = createGate();
  let stopped = false;
  const { handle, giveUp, hands } = arrange(gate);
  const bench = await createWorkbench({
    handle: (event, deps, context) =>
      stopped ? Promise.resolve([receiptFor(event)]) : handle(event, deps, context),
    ...(giveUp === undefined ? {} : { giveUp }),
  });
  const usual = { ...bench.hands };
  Object.assign(bench.hands, hands);
  await bench.send("a");
  const stage = await bench.start();
  await gate.reached;
  const reported = bench.reports.length;

  stopped = true;
  const stop = stage.stop();
  gate.open();
  await stop;

  expect(bench.reports).toHaveLength(reported);
  expect(bench.fatal).toEqual([]);
  expect(await bench.letters()).toEqual([]);
  expect(await bench.received()).toHaveLength(published);
  expect(await bench.committed()).toBe(0);
  expect(bench.clock.sleeping()).toBe(0);

  Object.assign(bench.hands, usual);
  await bench.start();
  await bench.clock.advance(0);
  expect(await bench.received()).toHaveLength(published + 1);
  expect(await bench.committed()).toBe(1);
});

test("stopped while it waits to try again", async () => {
  let attempts = 0;
  const bench = await createWorkbench({
    handle: async () => {
      attempts += 1;
      throw new FltsError("STORE_UNAVAILABLE", "down");
    },
  });
  await bench.send("a");
  const stage = await bench.start();
  await bench.clock.advance(10_000);
  const before = attempts;
  await stage.stop();
  expect(bench.clock.sleeping()).toBe(0);
  await bench.clock.advance(3_600_000);
  expect(attempts).toBe(before);
  expect(await bench.committed()).toBe(0);
});

test("stopped while it waits to write a dead letter again", async () => {
  const bench = await createWorkbench({ handle: () => Promise.reject(poison()) });
  bench.hands.publish = () => Promise.reject(new FltsError("LOG_UNAVAILABLE", "down"));
  await bench.send("a");
  const stage = await bench.start();
  await bench.clock.advance(10_000);
  await stage.stop();
  bench.hands.publish = (proceed) => proceed();
  await bench.clock.advance(3_600_000);
  expect([await bench.letters(), await bench.committed()]).toEqual([[], 0]);
});

test("the handler's signal aborts with the stop, so that long work can end early", async () => {
  let aborted = false;
  const bench = await createWorkbench({
    handle: async (_event, _deps, { signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      aborted = true;
      return [];
    },
  });
  await bench.send("a");
  const stage = await bench.start();
  await bench.clock.advance(0);
  await stage.stop();
  expect(aborted).toBe(true);
});
