import { FltsError, hasCode } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import type { TopicSpec } from "@flts/common/ports/message-log";
import type { Admin } from "kafkajs";
import { defaultMaxMessageBytes } from "../message-size.ts";
import { assertTopicSpec } from "../topic-name.ts";
import type { LazyClient } from "./lazy-client.ts";

export interface Topics {
  /** Creates what is missing; resolves when it can be used. */
  ensure(specs: readonly TopicSpec[]): Promise<void>;
  /** The numbers of a topic's partitions, ascending. @throws TOPIC_MISSING */
  partitionsOf(topic: string): Promise<readonly number[]>;
  /** Bytes of the largest batch of messages that a topic takes. @throws TOPIC_MISSING */
  maxMessageBytes(topic: string): Promise<number>;
}

/** How long brokers may take to tell each other of a new topic. */
const spreadMs = 10_000;
const lookEveryMs = 50;

export function createTopics(admin: LazyClient<Admin>, clock: Clock): Topics {
  const partitionsOf = async (name: string): Promise<readonly number[]> => {
    try {
      return await admin.use(`look up topic ${name}`, async (client) => {
        const { topics } = await client.fetchTopicMetadata({ topics: [name] });
        const found = topics.flatMap(({ partitions }) => partitions.map(({ partitionId }) => partitionId));
        return found.toSorted((a, b) => a - b);
      });
    } catch (error) {
      if (!hasCode(error, "TOPIC_MISSING")) throw error;
      throw new FltsError("TOPIC_MISSING", `There is no topic ${name}: create it with ensureTopics`, error);
    }
  };
  const countPartitions = (name: string): Promise<number> =>
    partitionsOf(name).then(
      (partitions) => partitions.length,
      (error: unknown) => {
        if (hasCode(error, "TOPIC_MISSING")) return 0;
        throw error;
      },
    );

  const ensureOne = async (spec: TopicSpec): Promise<void> => {
    const { name, partitions } = spec;
    const begun = clock.monotonicMs();
    for (let count = await countPartitions(name); count < partitions; count = await countPartitions(name)) {
      if (clock.monotonicMs() - begun > spreadMs)
        throw new FltsError("LOG_UNAVAILABLE", `Topic ${name} has ${count} of ${partitions} partitions`);
      // Others may do the same at this moment: what counts is what is there afterwards.
      if (count === 0)
        await admin
          .use(`create topic ${name}`, (client) =>
            client.createTopics({ topics: [newTopic(spec)], waitForLeaders: true }),
          )
          .catch((error: unknown) => {
            // Created, by us or by others, and not every broker knows of it yet.
            if (!hasCode(error, "TOPIC_MISSING")) throw error;
          });
      else
        await admin
          .use(`add partitions to ${name}`, (client) =>
            client.createPartitions({ topicPartitions: [{ topic: name, count: partitions }] }),
          )
          .catch(async (error: unknown) => {
            if ((await countPartitions(name)) < partitions) throw error;
          });
      await clock.sleep(lookEveryMs);
    }
  };

  return {
    ensure: async (specs) => {
      for (const spec of specs) assertTopicSpec(spec);
      for (const spec of specs) await ensureOne(spec);
    },
    partitionsOf,
    maxMessageBytes: async (name) => {
      await partitionsOf(name);
      try {
        return await admin.use(`read the settings of topic ${name}`, (client) => readLimit(client, name));
      } catch (error) {
        // Some users may publish, but not read settings: the brokers will tell them.
        if (hasCode(error, "LOG_FORBIDDEN")) return defaultMaxMessageBytes;
        throw error;
      }
    },
  };
}

/** `ConfigResourceTypes.TOPIC`, which kafkajs shows to CommonJS modules only. */
const topicResource = 2;

async function readLimit(client: Admin, name: string): Promise<number> {
  const configNames = ["max.message.bytes"];
  const { resources } = await client.describeConfigs({
    includeSynonyms: false,
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- there is no enum to take it from at run time
    resources: [{ type: topicResource, name, configNames }],
  });
  const [entry] = resources.flatMap(({ configEntries }) => configEntries);
  return entry ? Number(entry.configValue) : defaultMaxMessageBytes;
}

function newTopic({ name, partitions, retentionMs, maxMessageBytes }: TopicSpec) {
  const settings = { "retention.ms": retentionMs, "max.message.bytes": maxMessageBytes };
  const configEntries = Object.entries(settings).flatMap(([key, value]) =>
    value === undefined ? [] : [{ name: key, value: String(value) }],
  );
  return { topic: name, numPartitions: partitions, configEntries };
}
