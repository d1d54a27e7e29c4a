import { expectCode } from "@flts/testing/contract/expect-code";
import { withFaults } from "@flts/testing/faults";
import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryLog } from "@flts/testing/memory-log";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { expect, test } from "vitest";
import { FltsError } from "../../src/contracts/errors.ts";
import { buckets, keys } from "../../src/contracts/layout.ts";
import { findLetters, type LetterFilter } from "../../src/housekeeping/dead-letters.ts";
import { type RedriveDeps, readRedrive, redrive } from "../../src/housekeeping/redrive.ts";
import type { StoredMessage } from "../../src/ports/message-log.ts";
import { deadLetterOf } from "../../src/stage/dead-letter.ts";
import { pipelineTopics } from "../../src/stage/topics.ts";

const never = new AbortController().signal;
const HOUR_MS = 3_600_000;

async function setUp() {
  const clock = createManualClock();
  const log = createMemoryLog({ clock, maxMessageBytes: 64 * 1024 ** 2 });
  const store = createMemoryStore({ clock });
  await log.ensureTopics(pipelineTopics(1));
  const deps: RedriveDeps = {
    log,
    store,
    clock,
    random: createSeededRandom(1),
    bucket: buckets.promotion,
  };
  const giveUp = async (message: Partial<StoredMessage>, error: unknown): Promise<void> => {
    const whole = { topic: "training-data", key: "k", value: Buffer.from("{}"), headers: {}, ...message };
    await log.publish([whole]);
    const stored = (await collect(log.browse(whole.topic))).at(-1)!;
    await log.publish([
      deadLetterOf({ stage: "train", message: stored, error, attempts: 1, now: clock.now() }),
    ]);
  };
  return { clock, log, store, deps, giveUp };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const outcomes = async (deps: RedriveDeps, filter: LetterFilter = {}) =>
  (await collect(redrive(deps, filter, never))).map(({ found, outcome }) => `${found.id} ${outcome}`);

const poison = new FltsError("CLAIM_CORRUPT", "other bytes");
const missing = new FltsError("CLAIM_MISSING", "not there");

test("dead letters are found by id, topic, code and time, one or all", async () => {
  const { clock, log, giveUp } = await setUp();
  await giveUp({}, poison);
  await clock.advance(HOUR_MS);
  await giveUp({}, missing);
  await giveUp({ topic: "model-training" }, poison);
  await log.publish([
    { topic: "DLQ-preprocess", key: null, value: Buffer.from('{"error":"no time","code":"CSV_INVALID"}') },
    { topic: "DLQ-preprocess", key: null, value: Buffer.from("what is this") },
  ]);
  const find = async (filter: LetterFilter) =>
    (await collect(findLetters(log, filter))).map(({ id, code }) => `${id} ${code}`);
  const train = ["DLQ-training-data/0/0 CLAIM_CORRUPT", "DLQ-training-data/0/1 CLAIM_MISSING"];
  const others = [
    "DLQ-model-training/0/0 CLAIM_CORRUPT",
    "DLQ-preprocess/0/0 CSV_INVALID",
    "DLQ-preprocess/0/1 UNCLASSIFIED",
  ];
  expect(await find({})).toEqual([...train, ...others]);
  expect(await find({ topic: "training-data" })).toEqual(train);
  expect(await find({ topic: "DLQ-preprocess" })).toEqual(others.slice(1));
  expect(await find({ code: "CLAIM_CORRUPT" })).toEqual([train[0], others[0]]);
  expect(await find({ id: "DLQ-training-data/0/1" })).toEqual([train[1]]);
  expect(await find({ untilMs: clock.now() })).toEqual([train[0]]);
  expect(await find({ sinceMs: clock.now(), topic: "training-data" })).toEqual([train[1]]);
});

test("where no topic was made there are no dead letters", async () => {
  expect(await collect(findLetters(createMemoryLog(), {}))).toEqual([]);
});

test("a redriven message is the message, without its deadline and with the letter that it comes from", async () => {
  const { log, deps, giveUp } = await setUp();
  const value = Buffer.from([0, 255, 1]);
  await giveUp({ key: "a", value, headers: { traceparent: "00-1", deadline_ms: "5" } }, poison);
  expect(await outcomes(deps)).toEqual(["DLQ-training-data/0/0 published"]);
  expect((await collect(log.browse("training-data"))).at(-1)).toMatchObject({
    key: "a",
    value: new Uint8Array(value),
    headers: { traceparent: "00-1", redriven_from: "DLQ-training-data/0/0" },
  });
  expect((await collect(log.browse("training-data"))).at(-1)?.headers).not.toHaveProperty("deadline_ms");
});

test("redriving twice publishes once, and what was redriven says when", async () => {
  const { clock, log, deps, giveUp } = await setUp();
  await giveUp({}, poison);
  await giveUp({}, missing);
  expect(await outcomes(deps, { code: "CLAIM_CORRUPT" })).toEqual(["DLQ-training-data/0/0 published"]);
  expect(await outcomes(deps)).toEqual(["DLQ-training-data/0/0 before", "DLQ-training-data/0/1 published"]);
  expect(await outcomes(deps)).toEqual(["DLQ-training-data/0/0 before", "DLQ-training-data/0/1 before"]);
  expect(await collect(log.browse("training-data"))).toHaveLength(4);
  const [first] = await collect(findLetters(log, {}));
  expect(await readRedrive(deps, first!)).toBe(new Date(clock.now()).toISOString());
});

test.each(["refused", "lost"] as const)(
  "a redriver whose record was %s is followed by one that publishes nothing again",
  async (how) => {
    const { log, deps, giveUp } = await setUp();
    await giveUp({}, poison);
    const faults = withFaults(deps.store);
    const dying = { ...deps, store: faults.port };
    const outage = new FltsError("STORE_UNAVAILABLE", "down");
    // The first put takes the lease, the second is the record.
    let puts = 0;
    const store = new Proxy(faults.port, {
      get: (target, name, receiver) => {
        if (name === "put") {
          puts += 1;
          if (puts === 2) {
            if (how === "refused") faults.failNext("put", outage);
            else faults.loseNextAnswer("put", outage);
          }
        }
        return Reflect.get(target, name, receiver) as unknown;
      },
    });
    await expect(outcomes({ ...dying, store })).rejects.toThrow("down");
    expect(await outcomes(deps)).toEqual(["DLQ-training-data/0/0 before"]);
    expect(await outcomes(deps)).toEqual(["DLQ-training-data/0/0 before"]);
    expect(await collect(log.browse("training-data"))).toHaveLength(2);
  },
);

test("two letters of one message publish it once", async () => {
  const { log, deps, giveUp, clock } = await setUp();
  await giveUp({}, poison);
  const [message] = await collect(log.browse("training-data"));
  const again = { stage: "train", message: message!, error: poison, attempts: 1, now: clock.now() + 5 };
  await log.publish([deadLetterOf(again)]);
  expect(await outcomes(deps)).toEqual(["DLQ-training-data/0/0 published", "DLQ-training-data/0/1 before"]);
  expect(await collect(log.browse("training-data"))).toHaveLength(2);
});

test("whoever dies between two letters of one message has published it once all the same", async () => {
  const { log, deps, giveUp } = await setUp();
  await giveUp({}, poison);
  const [letter] = await collect(log.browse("DLQ-training-data"));
  await log.publish([{ topic: "DLQ-training-data", key: null, value: letter!.value }]);
  for await (const { outcome } of redrive(deps, {}, never)) {
    expect(outcome).toBe("published");
    break;
  }
  expect(await outcomes(deps)).toEqual(["DLQ-training-data/0/0 before", "DLQ-training-data/0/1 before"]);
  expect(await collect(log.browse("training-data"))).toHaveLength(2);
});

test("a message that fails again makes another letter, which can be redriven again", async () => {
  const { log, deps, giveUp, clock } = await setUp();
  await giveUp({}, poison);
  await outcomes(deps);
  const redriven = (await collect(log.browse("training-data"))).at(-1)!;
  await log.publish([
    deadLetterOf({ stage: "train", message: redriven, error: poison, attempts: 1, now: clock.now() }),
  ]);
  expect(await outcomes(deps)).toEqual(["DLQ-training-data/0/0 before", "DLQ-training-data/0/1 published"]);
});

test("a message too large for its letter is redriven from where it lies", async () => {
  const { log, deps, giveUp } = await setUp();
  const value = Buffer.alloc(20 * 1024 ** 2, 7);
  await giveUp({ key: "big", value }, poison);
  expect(await outcomes(deps)).toEqual(["DLQ-training-data/0/0 published"]);
  const copy = (await collect(log.browse("training-data"))).at(-1);
  expect([copy?.key, copy?.value.byteLength, copy?.value[9]]).toEqual(["big", value.byteLength, 7]);
});

test("where another message lies than was given up, its letter cannot be redriven, and those behind it can", async () => {
  const before = await setUp();
  await before.giveUp({ key: "big", value: Buffer.alloc(20 * 1024 ** 2, 7) }, poison);
  const [letter] = await collect(before.log.browse("DLQ-training-data"));
  const { log, deps, giveUp } = await setUp(); // The topic was made anew.
  await log.publish([{ topic: "DLQ-training-data", key: null, value: letter!.value }]);
  await giveUp({}, poison);
  expect(await outcomes(deps)).toEqual([
    "DLQ-training-data/0/0 impossible",
    "DLQ-training-data/0/1 published",
  ]);
});

test("what stands for no message cannot be redriven", async () => {
  const { log, deps } = await setUp();
  await log.publish([{ topic: "DLQ-preprocess", key: null, value: Buffer.from('{"error":"x"}') }]);
  expect(await outcomes(deps)).toEqual(["DLQ-preprocess/0/0 impossible"]);
});

test("a redriver that has lost its lease publishes nothing more", async () => {
  const { clock, log, store, deps, giveUp } = await setUp();
  for (const key of ["a", "b"]) await giveUp({ key }, poison);
  const letters = redrive(deps, {}, never);
  await letters.next();
  await store.put({ bucket: buckets.promotion, key: keys.redriver }, Buffer.from("another's"));
  await clock.advance(10_000);
  await expectCode("LEASE_LOST", letters.next());
  expect(await collect(log.browse("training-data"))).toHaveLength(3);
});

test("a second redriver waits for the first", async () => {
  const { clock, log, store, deps, giveUp } = await setUp();
  await giveUp({}, poison);
  const first = redrive(deps, {}, never);
  expect((await first.next()).value).toMatchObject({ outcome: "published" });
  const second = outcomes(deps);
  await clock.advance(60_000);
  expect(await store.head({ bucket: deps.bucket, key: keys.redriver })).not.toBeNull();
  await first.return(undefined);
  await clock.advance(60_000);
  expect(await second).toEqual(["DLQ-training-data/0/0 before"]);
  expect(await collect(log.browse("training-data"))).toHaveLength(2);
});
