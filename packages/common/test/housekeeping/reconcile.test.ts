import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryLog } from "@flts/testing/memory-log";
import { expect, test } from "vitest";
import { type Ledgers, reconcile } from "../../src/housekeeping/reconcile.ts";
import { repeat } from "../../src/housekeeping/repeat.ts";

const topic = "receipts";

async function setUp(ids: readonly string[], served: readonly string[] = []) {
  const clock = createManualClock();
  const log = createMemoryLog({ clock });
  await log.ensureTopics([{ name: topic, partitions: 1 }]);
  const onTopic = async (): Promise<string[]> => {
    const seen: string[] = [];
    for await (const { key } of log.browse(topic)) seen.push(key ?? "");
    return seen;
  };
  const ledgers: Ledgers = {
    async *markers() {
      for (const id of ids)
        yield {
          id,
          emissions: [{ topic, key: id, value: { id } }],
          isServed: async () => served.includes(id),
        };
    },
    announced: async () => new Set(await onTopic()),
  };
  const signal = new AbortController();
  const deps = { log, clock, settleMs: 1_000, signal: signal.signal };
  return { clock, log, ledgers, deps, onTopic, abort: signal };
}

test("what has its object but not its event is published, once", async () => {
  const { clock, ledgers, deps, log, onTopic } = await setUp(["a", "b", "c"], ["c"]);
  await log.publish([{ topic, key: "b", value: Buffer.from("{}") }]);
  const first = reconcile(ledgers, deps);
  await clock.advance(1_000);
  expect(await first).toEqual(["a"]);
  expect(await reconcile(ledgers, deps)).toEqual([]);
  expect(await onTopic()).toEqual(["b", "a"]);
});

test("an event that comes while it settles is not published again", async () => {
  const { clock, ledgers, deps, log, onTopic } = await setUp(["a"]);
  const looking = reconcile(ledgers, deps);
  await clock.advance(500);
  await log.publish([{ topic, key: "a", value: Buffer.from("{}") }]);
  await clock.advance(500);
  expect([await looking, await onTopic()]).toEqual([[], ["a"]]);
});

test("stopped between its looks it publishes nothing", async () => {
  const { clock, ledgers, deps, onTopic, abort } = await setUp(["a"]);
  const looking = reconcile(ledgers, deps);
  await clock.advance(500);
  abort.abort();
  expect([await looking, await onTopic()]).toEqual([[], []]);
});

test("a task is repeated, whatever becomes of it, until it is stopped", async () => {
  const clock = createManualClock();
  const errors: unknown[] = [];
  let times = 0;
  const repetition = repeat({ clock, everyMs: 1_000, onError: (error) => errors.push(error) }, async () => {
    times += 1;
    if (times === 2) throw new Error("down");
  });
  await clock.advance(3_500);
  await repetition.stop();
  await clock.advance(10_000);
  expect([times, errors.length]).toEqual([4, 1]);
});
