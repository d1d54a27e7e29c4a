import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { FltsError } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import type { MessageLog } from "@flts/common/ports/message-log";
import { assertTopicSpec } from "../topic-name.ts";
import { browseTopic } from "./log-browse.ts";
import { startLogClient } from "./log-client.ts";
import { createLogConsumer, type LogConsumer } from "./log-consumer.ts";

export interface SqliteLogOptions {
  /** The file; it and its folder are created when missing. Processes share it on one machine, never over a network. */
  readonly file: string;
  readonly clock: Clock;
  /** After so much silence a member is taken for dead, unless its process is seen to be gone earlier. */
  readonly leaseMs?: number;
  /** How long messages are kept where their topic does not say; Kafka's default of seven days. */
  readonly retentionMs?: number;
  /** How many bytes of messages each partition keeps. */
  readonly retentionBytes?: number;
}

const defaultLeaseMs = 3000;
const defaultRetentionMs = 7 * 24 * 60 * 60_000;
const defaultRetentionBytes = 256 * 1024 * 1024;

/**
 * A durable message log in one SQLite file: topics, partitions, consumer groups with leased ownership, for any number of processes
 * on one machine. `log-engine.ts` has the invariants; SQLite blocks, so the engine lives in a worker thread, where it also beats
 * while a handler keeps this thread busy.
 *
 * @throws LOG_FORBIDDEN, LOG_CORRUPT, LOG_UNAVAILABLE when the file cannot be used
 */
export async function createSqliteLog(options: SqliteLogOptions): Promise<MessageLog> {
  const { file, clock } = options;
  const consumers = new Map<string, LogConsumer>();
  let lastAliveMs = clock.monotonicMs();

  await makeFolder(dirname(file));
  const client = await startLogClient(
    {
      file,
      leaseMs: options.leaseMs ?? defaultLeaseMs,
      retention: {
        ageMs: options.retentionMs ?? defaultRetentionMs,
        partitionBytes: options.retentionBytes ?? defaultRetentionBytes,
      },
    },
    {
      onNotice: (notice) => {
        if (notice.kind === "alive") {
          lastAliveMs = clock.monotonicMs();
          for (const [member, partitions] of notice.holdings) consumers.get(member)?.onHoldings(partitions);
        } else if (notice.kind === "lost") consumers.get(notice.member)?.onLost(notice.holding);
        else consumers.get(notice.member)?.onDelivery(notice.holding, notice.message);
      },
      onCrash: (error) => {
        for (const consumer of consumers.values()) consumer.onCrash(error);
      },
    },
  );

  return {
    ensureTopics: async (topics) => {
      for (const topic of topics) assertTopicSpec(topic);
      await client.call("ensureTopics", topics);
    },
    publish: (messages) => client.call("publish", messages, clock.now()),
    consume: async (subscription) => {
      const member = randomUUID();
      const consumer = createLogConsumer(client, member, subscription, {
        lastAliveAgoMs: () => clock.monotonicMs() - lastAliveMs,
        onGone: () => consumers.delete(member),
      });
      // Registered first: deliveries may overtake the answer.
      consumers.set(member, consumer);
      try {
        await consumer.join();
      } catch (error) {
        consumers.delete(member);
        throw error;
      }
      return consumer;
    },
    lag: (group, topics) => client.call("lag", group, topics),
    browse: (topic) => browseTopic(client, topic),
    members: (group) => client.call("members", group),
    seekGroup: (group, topic, to) => client.call("seekGroup", group, topic, to),
    removeGroup: (group) => client.call("removeGroup", group),
    ping: () => client.call("ping"),
    close: async () => {
      await Promise.all([...consumers.values()].map((consumer) => consumer.stop()));
      await client.close();
    },
  };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw new FltsError("LOG_FORBIDDEN", `The folder of the embedded log cannot be made: ${path}`, error);
  }
}
