import { createManualClock } from "@flts/testing/manual-clock";
import { createMemoryLog } from "@flts/testing/memory-log";
import { createMemoryStore } from "@flts/testing/memory-store";
import { createSeededRandom } from "@flts/testing/seeded-random";
import { expect, test } from "vitest";
import { FltsError, hasCode } from "../../src/contracts/errors.ts";
import type { Delivery, MessageLog } from "../../src/ports/message-log.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import type { Random } from "../../src/ports/random.ts";
import { deadLetter, deadLetterTopic } from "../../src/stage/dead-letter.ts";
import { startStage } from "../../src/stage/runner.ts";
import type { Stage } from "../../src/stage/stage.ts";
import { defaultRetryPolicy } from "../../src/stage/verdict.ts";
import { decoded, encoded, messagesOf, type Order, orders, receiptFor, receipts } from "./workbench.ts";

/**
 * The whole shell, simulated from a seed: messages good and bad, two workers, a store and a log that fail before or after doing what they were asked,
 * processes that die between any two calls, leases that run out under a working process. Then all faults end, and an auditor that sees only
 * the store and the log tells what became of each message.
 */

const SEEDS = 400;
const GROUP = "workers";
const PARTITIONS = 3;
const bucket = "results";

/** What a message asks for, and what must become of it. */
const fates = ["good", "good", "good", "good", "poison", "bug", "garbage", "old"] as const;

test(`in ${SEEDS} seeded runs every message ends done or dead-lettered, once and in order`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++)
    expect({ seed, ...(await simulate(seed)) }).toEqual({ seed, faults: [] });
});

test("the simulation is harsh: faults of every kind occur, and a run is a function of its seed", async () => {
  const counts = { refusals: 0, lostAnswers: 0, crashes: 0, evictions: 0 };
  for (let seed = 1; seed <= 20; seed++) await simulate(seed, counts);
  expect(Math.min(...Object.values(counts))).toBeGreaterThan(20);
  const again = { refusals: 0, lostAnswers: 0, crashes: 0, evictions: 0 };
  for (let seed = 1; seed <= 20; seed++) await simulate(seed, again);
  expect(again).toEqual(counts);
});

interface Counts {
  refusals: number;
  lostAnswers: number;
  crashes: number;
  evictions: number;
}

/** One process: while it lives its calls go through, sometimes badly; once dead it does nothing more, ever. */
interface Process {
  alive: boolean;
}

async function simulate(
  seed: number,
  counts: Counts = { refusals: 0, lostAnswers: 0, crashes: 0, evictions: 0 },
): Promise<{ faults: readonly string[] }> {
  const random = createSeededRandom(seed);
  const chance = (probability: number): boolean => random.next() < probability;
  const clock = createManualClock();
  const log = createMemoryLog({ clock });
  const store = createMemoryStore({ clock });
  await store.ensureBucket(bucket);
  await log.ensureTopics(
    [orders.name, receipts.name, deadLetterTopic(orders.name)].map((name) => ({
      name,
      partitions: PARTITIONS,
    })),
  );
  let healed = false;

  const perhaps = async <T>(
    process: Process,
    call: () => Promise<T>,
    code: "STORE_UNAVAILABLE" | "LOG_UNAVAILABLE",
  ) => {
    const trouble = healed ? 1 : random.next();
    if (process.alive && trouble < 0.04) die(process);
    if (!process.alive) return new Promise<T>(() => {});
    if (trouble < 0.2) {
      counts.refusals += 1;
      throw new FltsError(code, "refused");
    }
    const answer = await call();
    if (trouble < 0.3) {
      counts.lostAnswers += 1;
      throw new FltsError(code, "answer lost");
    }
    if (trouble < 0.34) die(process);
    return process.alive ? answer : new Promise<T>(() => {});
  };
  const die = (process: Process): void => {
    counts.crashes += 1;
    process.alive = false;
  };

  const startWorker = async (): Promise<Process & { leave: () => void }> => {
    const process = { alive: true, leave: (): void => undefined };
    const running = await startStage(stage, {
      log: throughProcess(log, (call) => perhaps(process, call, "LOG_UNAVAILABLE")),
      deps: {
        store: { ...store, put: (...put) => perhaps(process, () => store.put(...put), "STORE_UNAVAILABLE") },
      },
      clock,
      random,
      policy: defaultRetryPolicy,
      group: GROUP,
      report: () => undefined,
      onFatal: (error) => {
        throw error;
      },
    });
    process.leave = () => void running.stop();
    return process;
  };

  const sent = await sendMessages(log, random);
  let workers = [await startWorker(), await startWorker()];
  const tend = async (): Promise<void> => {
    for (const dead of workers.filter(({ alive }) => !alive)) {
      dead.leave(); // Its handlers hang for ever; its leases run out.
      log.expireLeases(GROUP);
    }
    workers = workers.filter(({ alive }) => alive);
    while (workers.length < 2) workers.push(await startWorker());
  };
  for (let step = 0; step < 60; step++) {
    await clock.advance(chance(0.1) ? 40_000 : 500);
    if (chance(0.1)) {
      counts.evictions += 1;
      log.expireLeases(GROUP); // Under working processes: they go on for a while, as zombies do.
    }
    await tend();
  }
  healed = true;
  await tend();
  for (let step = 0; step < 10; step++) await clock.advance(60_000);
  return { faults: await audit(log, store, sent) };
}

/** A handler as a stage's should be: its effect is create-only, its event a function of the effect. */
const stage: Stage<Order, { readonly store: ObjectStore }> = {
  name: "simulated",
  consumes: orders,
  async handle(event, { store }) {
    if (event["fate"] === "poison") throw new FltsError("TABLE_INVALID", "no rows");
    if (event["fate"] === "bug") throw new TypeError("x is not a function");
    const ref = { bucket, key: event.id };
    await store.put(ref, encoded(event), { condition: { ifNoneMatch: "*" } }).catch((error: unknown) => {
      if (!hasCode(error, "OBJECT_CONFLICT")) throw error;
    });
    return [receiptFor(event)];
  },
};

interface Sent {
  readonly id: string;
  readonly key: string;
  readonly fate: (typeof fates)[number];
}

async function sendMessages(log: MessageLog, random: Random): Promise<readonly Sent[]> {
  const sent = Array.from({ length: 16 }, (_, index): Sent => {
    const fate = fates[Math.floor(random.next() * fates.length)] ?? "good";
    return { id: `m${index}`, key: `k${Math.floor(random.next() * 5)}`, fate };
  });
  for (const { id, key, fate } of sent) {
    const value =
      fate === "garbage" ? Buffer.from(`{${id}`) : encoded({ v: fate === "old" ? 0 : 1, id, fate });
    await log.publish([{ topic: orders.name, key, value }]);
  }
  return sent;
}

/** What is wrong, as far as the store and the log can tell. */
async function audit(log: MessageLog, store: ObjectStore, sent: readonly Sent[]): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const { partition, committed, end } of await log.lag(GROUP, [orders.name]))
    if ((committed ?? 0n) !== end) faults.push(`partition ${partition} stands at ${committed} of ${end}`);

  const positions = new Map<string, Sent>();
  for (const [index, { partition, offset }] of (await messagesOf(log, orders.name)).entries())
    if (sent[index] !== undefined) positions.set(`${partition}/${offset}`, sent[index]);
  const letters = new Map<string, Set<string>>();
  for (const { value } of await messagesOf(log, deadLetterTopic(orders.name))) {
    const { partition, offset, code, value_base64 } = deadLetter.parse(decoded(value));
    const id = positions.get(`${partition}/${offset}`)?.id ?? "unknown";
    letters.set(id, (letters.get(id) ?? new Set()).add(`${code} ${value_base64}`));
  }
  const events = new Map<string, Set<string>>();
  for (const { value } of await messagesOf(log, receipts.name)) {
    const text = Buffer.from(value).toString();
    const { id } = orders.schema.parse(JSON.parse(text));
    events.set(id, (events.get(id) ?? new Set()).add(text));
  }
  for (const { id, fate } of sent) {
    const expected = fate === "good" ? "object, 1 events, 0 letters" : "no object, 0 events, 1 letters";
    const object = (await store.head({ bucket, key: id })) === null ? "no object" : "object";
    const found = `${object}, ${events.get(id)?.size ?? 0} events, ${letters.get(id)?.size ?? 0} letters`;
    if (found !== expected) faults.push(`${id} (${fate}): ${found}`);
  }
  const firsts = [...events.keys()];
  for (const key of new Set(sent.map((message) => message.key))) {
    const inOrder = sent
      .filter((message) => message.key === key && message.fate === "good")
      .map(({ id }) => id);
    const happened = firsts.filter((id) => inOrder.includes(id));
    if (happened.join() !== inOrder.join()) faults.push(`${key} out of order: ${happened.join()}`);
  }
  return faults;
}

/** The log as one process sees it: its publishes and commits pass through `call`. */
function throughProcess(log: MessageLog, call: (action: () => Promise<void>) => Promise<void>): MessageLog {
  return {
    ...log,
    publish: (messages) => call(() => log.publish(messages)),
    consume: (subscription) =>
      log.consume({
        ...subscription,
        onDelivery: (delivery: Delivery) =>
          subscription.onDelivery({ ...delivery, commit: () => call(() => delivery.commit()) }),
      }),
  };
}
