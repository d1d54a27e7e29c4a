import { hasCode } from "@flts/common/contracts/errors";
import type { Delivery, MessageLog } from "@flts/common/ports/message-log";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { open } from "./open-kafka-log.ts";
import { type OwnBroker, startOwnBroker } from "./own-broker.ts";

let broker: OwnBroker;
let log: MessageLog;
beforeAll(async () => {
  broker = await startOwnBroker();
  log = await open({ KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers, KAFKA_SESSION_TIMEOUT_MS: "6000" });
});
afterAll(async () => {
  await Promise.allSettled([log.close()]); // the broker must go in any case
  await broker.remove();
});

const patience = { timeout: 60_000, interval: 50 };
const outageMs = 5000;
const textOf = ({ value }: { readonly value: Uint8Array }): string => Buffer.from(value).toString();
const wait = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

test("a broker that dies and comes back costs no acknowledged message, and its consumers go on by themselves", async () => {
  await log.ensureTopics([
    { name: "steady", partitions: 1 },
    { name: "long", partitions: 1 },
  ]);
  const seen: string[] = [];
  const crashes: unknown[] = [];
  const ends: string[] = [];
  const longWork = Promise.withResolvers<void>();
  const onCrash = (error: unknown): void => void crashes.push(error);
  const group = "survivors";
  const steady = await log.consume({
    group,
    topics: ["steady"],
    from: "earliest",
    onDelivery: async (delivery) => {
      seen.push(textOf(delivery));
      await delivery.commit();
    },
    onCrash,
  });
  await log.consume({
    group: "long",
    topics: ["long"],
    from: "earliest",
    onDelivery: async (delivery: Delivery) => {
      await longWork.promise;
      await delivery.commit();
      ends.push(delivery.signal.aborted ? "aborted" : "kept");
    },
    onCrash,
  });
  await log.publish([{ topic: "long", key: null, value: Buffer.from("work") }]);

  const acknowledged: string[] = [];
  const published = new AbortController();
  const publisher = (async () => {
    for (let number = 0; !published.signal.aborted; number += 1) {
      await log.publish([{ topic: "steady", key: "k", value: Buffer.from(String(number)) }]);
      acknowledged.push(String(number));
      await wait(20);
    }
  })();
  await vi.waitFor(() => expect(seen.length).toBeGreaterThan(20), patience);

  await broker.crash();
  await expect(log.ping()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
  await wait(outageMs);
  const before = acknowledged.length;
  await broker.restart();
  await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(before + 20), patience);
  published.abort();
  await publisher;
  longWork.resolve();

  await vi.waitFor(() => expect(seen).toContain(acknowledged.at(-1)), patience);
  await vi.waitFor(() => expect(ends).toStrictEqual(["kept"]), patience);
  // A commit that was under way may be lost: then its message comes twice. None is missing, and none overtakes another.
  expect([...new Set(seen)]).toStrictEqual(acknowledged);
  expect(seen.length - acknowledged.length).toBeLessThanOrEqual(2);
  expect(crashes).toStrictEqual([]);
  expect(steady.health()).toMatchObject({ joined: true, partitions: 1 });
  const [lag] = await log.lag(group, ["steady"]);
  expect(lag?.committed).toBe(lag?.end);
}, 180_000);

test("while the broker is away a log can be made, refuses work in few seconds, closes at once, and works when it is back", async () => {
  await broker.crash();
  const early = await open({ KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers });
  const failure: unknown = await early.lag("g", ["steady"]).catch((error: unknown) => error);
  expect(hasCode(failure, "LOG_UNAVAILABLE")).toBe(true);
  const begun = performance.now();
  const other = await open({ KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers });
  await other.close();
  expect(performance.now() - begun).toBeLessThan(2000);
  await broker.restart();
  await vi.waitFor(() => early.ping(), patience);
  expect((await early.lag("survivors", ["steady"]))[0]?.committed).toBeGreaterThan(0n);
  await early.close();
}, 120_000);
