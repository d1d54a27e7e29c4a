import { FltsError } from "@flts/common/contracts/errors";
import type { GroupMember, LogPosition, PartitionLag } from "@flts/common/ports/message-log";
import type { Admin, Consumer } from "kafkajs";
import type { TopicPartition } from "./dispatcher.ts";
import { hasType, kafkaError } from "./errors.ts";
import { disconnect, type LazyClient } from "./lazy-client.ts";
import type { Topics } from "./topics.ts";

/** Groups and their offsets, seen from outside. */
export interface Groups {
  lag(group: string, topics: readonly string[]): Promise<readonly PartitionLag[]>;
  members(group: string): Promise<readonly GroupMember[]>;
  seek(group: string, topic: string, to: LogPosition): Promise<void>;
  remove(group: string): Promise<void>;
}

export function createGroups(
  admin: LazyClient<Admin>,
  topics: Topics,
  makeConsumer: (group: string) => Consumer,
): Groups {
  const lagOf = async (group: string, topic: string): Promise<readonly PartitionLag[]> => {
    const partitions = await topics.partitionsOf(topic);
    return admin.use(`read the offsets of group ${group} in ${topic}`, async (client) => {
      const [committed] = await client.fetchOffsets({ groupId: group, topics: [topic] });
      const ends = await client.fetchTopicOffsets(topic);
      return partitions.map((partition) => {
        const offset = committed?.partitions.find((entry) => entry.partition === partition)?.offset ?? "-1";
        const end = ends.find((entry) => entry.partition === partition)?.high ?? "0";
        return { topic, partition, committed: offset === "-1" ? null : BigInt(offset), end: BigInt(end) };
      });
    });
  };
  const offsetsAt = (topic: string, to: LogPosition): Promise<readonly PartitionOffset[]> =>
    admin.use(`find a position in ${topic}`, async (client) => {
      if (typeof to === "object" && "timeMs" in to) {
        const found = await client.fetchTopicOffsetsByTimestamp(topic, to.timeMs);
        return found.map(({ partition, offset }) => ({ topic, partition, offset }));
      }
      const bounds = await client.fetchTopicOffsets(topic);
      return bounds.map(({ partition, low, high }) => ({
        topic,
        partition,
        offset: offsetWithin(low, high, to),
      }));
    });
  const members = (group: string): Promise<readonly GroupMember[]> =>
    admin.use(`list the members of group ${group}`, async (client) => {
      const { groups } = await client.describeGroups([group]);
      return groups.flatMap((found) =>
        found.members.map(({ memberId, clientHost }) => ({
          id: memberId,
          host: clientHost.replace(/^\//, ""),
        })),
      );
    });
  const assertNoMembers = async (group: string): Promise<void> => {
    if ((await members(group)).length > 0)
      throw new FltsError("LOG_UNAVAILABLE", `Group ${group} still has members: stop them first`);
  };

  return {
    lag: async (group, names) => {
      const lags: PartitionLag[] = [];
      for (const topic of names) lags.push(...(await lagOf(group, topic)));
      return lags;
    },
    members,
    seek: async (group, topic, to) => {
      await topics.partitionsOf(topic);
      await assertNoMembers(group);
      await commitAsOnlyMember(makeConsumer(group), group, await offsetsAt(topic, to));
    },
    remove: async (group) => {
      await assertNoMembers(group);
      await admin.use(`remove group ${group}`, async (client) => {
        try {
          await client.deleteGroups([group]);
        } catch (error) {
          if (!hasType(error, "GROUP_ID_NOT_FOUND")) throw error;
        }
      });
    },
  };
}

interface PartitionOffset extends TopicPartition {
  readonly offset: string;
}

function offsetWithin(
  low: string,
  high: string,
  to: "earliest" | "latest" | { readonly offset: bigint },
): string {
  if (to === "earliest") return low;
  if (to === "latest" || to.offset > BigInt(high)) return high;
  return to.offset < BigInt(low) ? low : String(to.offset);
}

/**
 * Commits as a member that joins for this alone: Kafka takes offsets from members only. kafkajs's own `setOffsets` does the same in five seconds
 * and does not say when it has failed.
 */
async function commitAsOnlyMember(
  consumer: Consumer,
  group: string,
  offsets: readonly PartitionOffset[],
): Promise<void> {
  const topics = [...new Set(offsets.map(({ topic }) => topic))];
  const joined = Promise.withResolvers<number>();
  consumer.on(consumer.events.CRASH, ({ payload }) => joined.reject(payload.error));
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    consumer.pause(topics.map((topic) => ({ topic })));
    joined.resolve(Object.values(payload.memberAssignment).flat().length);
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: () => Promise.resolve(),
    });
    if ((await joined.promise) < offsets.length)
      throw new FltsError("LOG_UNAVAILABLE", `Group ${group} has got members just now: stop them first`);
    await consumer.commitOffsets([...offsets]);
  } catch (error) {
    throw kafkaError(error, `move group ${group}`);
  } finally {
    await disconnect(consumer);
  }
}
