import { randomUUID } from "node:crypto";
import { Kafka, logLevel } from "kafkajs";
import { vi } from "vitest";

/** What lies in a Kafka, read with its plain client: an adapter of ours would hide its own mistakes. */
export interface KafkaContents {
  /** Messages of each topic in the order of each partition, and how many partitions it has. */
  readonly topics: ReadonlyMap<
    string,
    { readonly partitions: number; readonly messages: readonly Message[] }
  >;
  readonly groups: ReadonlyMap<string, Group>;
}

export interface Message {
  readonly partition: number;
  readonly key: string | null;
  readonly value: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Group {
  readonly state: string;
  readonly members: number;
  /** Messages of its topics that it has not committed yet. */
  readonly lag: number;
}

const clientOf = (brokers: string): Kafka =>
  new Kafka({ clientId: "census", brokers: brokers.split(","), logLevel: logLevel.NOTHING });

export async function readKafka(brokers: string): Promise<KafkaContents> {
  const kafka = clientOf(brokers);
  const admin = kafka.admin();
  await admin.connect();
  try {
    const names = (await admin.listTopics()).filter((name) => !name.startsWith("__"));
    const ends = new Map<string, Awaited<ReturnType<typeof admin.fetchTopicOffsets>>>();
    for (const name of names) ends.set(name, await admin.fetchTopicOffsets(name));
    const total = [...ends.values()]
      .flat()
      .reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
    const messages = await readMessages(kafka, names, total);

    const groups = new Map<string, Group>();
    const listed = (await admin.listGroups()).groups.map(({ groupId }) => groupId);
    for (const { groupId, state, members } of (await admin.describeGroups(listed)).groups) {
      const committed = await admin.fetchOffsets({ groupId });
      const lag = committed
        .flatMap(({ topic, partitions }) => partitions.map((at) => ({ topic, ...at })))
        .map(({ topic, partition, offset }) => {
          const end = ends.get(topic)?.find((one) => one.partition === partition);
          return Number(end?.high ?? 0) - Math.max(Number(offset), Number(end?.low ?? 0));
        });
      groups.set(groupId, { state, members: members.length, lag: lag.reduce((sum, one) => sum + one, 0) });
    }
    const topicOf = (name: string) => ({
      partitions: ends.get(name)?.length ?? 0,
      messages: messages.filter(({ topic }) => topic === name),
    });
    return { topics: new Map(names.map((name) => [name, topicOf(name)])), groups };
  } finally {
    await admin.disconnect();
  }
}

async function readMessages(
  kafka: Kafka,
  topics: readonly string[],
  total: number,
): Promise<readonly (Message & { readonly topic: string })[]> {
  const groupId = `census-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 300 });
  const found: (Message & { readonly topic: string })[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, partition, message: { key, value, headers = {} } }) => {
        found.push({
          topic,
          partition,
          key: key?.toString() ?? null,
          value: JSON.parse(value?.toString() ?? "null") as Record<string, unknown>,
          headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, String(text)])),
        });
      },
    });
    await vi.waitUntil(() => found.length >= total, { timeout: 30_000 });
    return found;
  } finally {
    await consumer.disconnect();
    const admin = kafka.admin();
    await admin.connect();
    await admin.deleteGroups([groupId]);
    await admin.disconnect();
  }
}
