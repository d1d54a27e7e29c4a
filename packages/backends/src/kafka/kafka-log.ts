import type { Clock } from "@flts/common/ports/clock";
import type { Consumer, MessageLog } from "@flts/common/ports/message-log";
import { assertMessageSize } from "../message-size.ts";
import { browseTopic } from "./browse.ts";
import { createKafkaClients } from "./client.ts";
import type { KafkaConnection } from "./connection.ts";
import { startConsumer } from "./consumer.ts";
import { createGroups } from "./groups.ts";
import { createLazyClient } from "./lazy-client.ts";
import { createPublisher } from "./publisher.ts";
import { createTopics } from "./topics.ts";

/** The brokers' limit is for a message with its frame. */
const frameBytes = 4096;

/**
 * A message log on Kafka. Nothing is connected before it is needed, so it can be made while Kafka is away: operations throw LOG_UNAVAILABLE then, and
 * succeed when it is back; consumers join again by themselves.
 */
export function createKafkaLog(connection: KafkaConnection, clock: Clock): MessageLog {
  const clients = createKafkaClients(connection);
  const admin = createLazyClient(clients.admin);
  const producer = createLazyClient(clients.producer);
  const topics = createTopics(admin, clock);
  const groups = createGroups(admin, topics, clients.consumer);
  const publisher = createPublisher(producer);
  const consumers = new Set<Consumer>();
  /** What the topics take, as it was when we first published to them. */
  const limits = new Map<string, number>();

  return {
    ensureTopics: topics.ensure,
    publish: async (messages) => {
      for (const message of messages) {
        // The producer itself would look for a missing topic for half a minute.
        const limit = limits.get(message.topic) ?? (await topics.maxMessageBytes(message.topic));
        limits.set(message.topic, limit);
        assertMessageSize(message, limit - frameBytes);
      }
      await publisher.publish(messages);
    },
    consume: async (subscription) => {
      const { sessionTimeoutMs } = connection;
      const consumer = await startConsumer(subscription, {
        clients,
        topics,
        groups,
        clock,
        sessionTimeoutMs,
      });
      consumers.add(consumer);
      return {
        health: consumer.health,
        stop: async () => {
          await consumer.stop();
          consumers.delete(consumer);
        },
      };
    },
    lag: groups.lag,
    browse: async function* (topic) {
      await topics.partitionsOf(topic);
      yield* browseTopic(topic, admin, clients.consumer);
    },
    members: groups.members,
    seekGroup: groups.seek,
    removeGroup: groups.remove,
    ping: async () => {
      await admin.use("answer", (client) => client.describeCluster());
    },
    close: async () => {
      await Promise.all([...consumers].map((consumer) => consumer.stop()));
      await Promise.all([producer.close(), admin.close()]);
    },
  };
}
