import { assignPartitions } from "@flts/backends/assignment";
import { partitionName, partitionOfKey } from "@flts/backends/embedded/partition";
import { assertMessageSize, defaultMaxMessageBytes } from "@flts/backends/message-size";
import { assertTopicSpec } from "@flts/backends/topic-name";
import { FltsError } from "@flts/common/contracts/errors";
import type { Clock } from "@flts/common/ports/clock";
import type {
  Consumer,
  Delivery,
  LogPosition,
  MessageLog,
  OutgoingMessage,
  StoredMessage,
  Subscription,
} from "@flts/common/ports/message-log";
import { createManualClock } from "./manual-clock.ts";

export interface MemoryLog extends MessageLog {
  /**
   * Takes every partition from the members of a group at once, as if their leases had run out: deliveries in flight abort,
   * their commits are refused, and the messages are delivered again.
   */
  expireLeases(group: string): void;
}

interface Topic {
  readonly partitions: StoredMessage[][];
  /** All messages of the topic in the order of publishing. */
  readonly messages: StoredMessage[];
  readonly maxMessageBytes: number;
  nextPartition: number;
}

interface Member {
  readonly id: string;
  readonly topics: readonly string[];
  readonly subscription: Subscription;
  readonly handlers: Set<Promise<void>>;
  stopping: boolean;
}

/** One member's time with one partition; another time is another record, so that late commits are told apart. */
interface Holding {
  readonly member: Member;
  readonly topic: string;
  readonly partition: number;
  readonly abort: AbortController;
  state: "idle" | "handling" | "blocked";
}

interface Group {
  readonly members: Set<Member>;
  readonly committed: Map<string, bigint>;
  readonly holdings: Map<string, Holding>;
}

/**
 * A message log in memory, with the semantics of a real one: partitions, groups, redelivery of what was not committed.
 * A second member of a group is a second `consume` on the same log. Nothing in it waits for time.
 */
export function createMemoryLog(
  options: { readonly clock?: Clock; readonly maxMessageBytes?: number } = {},
): MemoryLog {
  const clock = options.clock ?? createManualClock();
  const maxMessageBytes = options.maxMessageBytes ?? defaultMaxMessageBytes;
  const topics = new Map<string, Topic>();
  const groups = new Map<string, Group>();
  const consumers = new Set<Consumer>();
  let members = 0;
  let closed = false;

  const assertOpen = (): void => {
    if (closed) throw new FltsError("LOG_UNAVAILABLE", "The memory log is closed");
  };
  const topicOf = (name: string): Topic => {
    assertOpen();
    const topic = topics.get(name);
    if (!topic)
      throw new FltsError("TOPIC_MISSING", `There is no topic ${name}: create it with ensureTopics`);
    return topic;
  };
  const groupOf = (name: string): Group => {
    const group = groups.get(name) ?? { members: new Set(), committed: new Map(), holdings: new Map() };
    groups.set(name, group);
    return group;
  };

  const assertNoMembers = (name: string): void => {
    if ((groups.get(name)?.members.size ?? 0) > 0)
      throw new FltsError("LOG_UNAVAILABLE", `Group ${name} still has members: stop them first`);
  };

  const append = (message: OutgoingMessage): void => {
    const topic = topicOf(message.topic);
    const count = topic.partitions.length;
    const partition =
      message.key === null ? topic.nextPartition++ % count : partitionOfKey(message.key, count);
    const log = topic.partitions[partition] ?? [];
    const stored: StoredMessage = {
      topic: message.topic,
      partition,
      offset: BigInt(log.length),
      key: message.key,
      value: new Uint8Array(message.value),
      headers: { ...message.headers },
      publishedAt: clock.now(),
    };
    log.push(stored);
    topic.messages.push(stored);
  };

  /** Gives every partition the owner it should have, as far as no handler is at work on it, and delivers what waits. */
  const rebalance = (group: Group): void => {
    const slots = [...topics].flatMap(([topic, { partitions }]) =>
      partitions.map((_, partition) => {
        const name = partitionName(topic, partition);
        return { name, topic, partition, owner: group.holdings.get(name)?.member.id ?? null };
      }),
    );
    const present = [...group.members].filter((member) => !member.stopping);
    const wanted = assignPartitions(slots, present);
    for (const { name, topic, partition } of slots) {
      const holding = group.holdings.get(name);
      const owner = present.find(({ id }) => id === wanted.get(name));
      if (holding?.member === owner || holding?.state === "handling") continue;
      holding?.abort.abort();
      group.holdings.delete(name);
      if (owner) {
        const abort = new AbortController();
        group.holdings.set(name, { member: owner, topic, partition, abort, state: "idle" });
      }
    }
    for (const member of present) pump(group, member);
  };

  const pump = (group: Group, member: Member): void => {
    const most = member.subscription.maxInFlight ?? Number.POSITIVE_INFINITY;
    const idle = [...group.holdings].filter(([, { member: m, state }]) => m === member && state === "idle");
    for (const [name, holding] of idle) {
      if (member.handlers.size >= most) return;
      const position = group.committed.get(name) ?? 0n;
      const message = topics.get(holding.topic)?.partitions[holding.partition]?.[Number(position)];
      if (!message) continue;
      // To the end of the queue: no partition starves another.
      group.holdings.delete(name);
      group.holdings.set(name, holding);
      deliver(group, name, holding, message);
    }
  };

  const deliver = (group: Group, name: string, holding: Holding, message: StoredMessage): void => {
    const { member } = holding;
    const next = message.offset + 1n;
    const owns = (): boolean => group.holdings.get(name) === holding;
    const delivery: Delivery = {
      ...message,
      value: new Uint8Array(message.value),
      signal: holding.abort.signal,
      commit: async () => {
        if (!owns()) throw new FltsError("OWNERSHIP_LOST", `Partition ${name} has moved on`);
        if (next > (group.committed.get(name) ?? 0n)) group.committed.set(name, next);
      },
    };
    const settle = (): void => {
      member.handlers.delete(handler);
      holding.state = (group.committed.get(name) ?? 0n) >= next ? "idle" : "blocked";
      rebalance(group);
    };
    holding.state = "handling";
    const handler: Promise<void> = Promise.resolve()
      .then(() => member.subscription.onDelivery(delivery))
      .then(settle, (error: unknown) => {
        settle();
        if (member.stopping) return;
        void leave(group, member);
        member.subscription.onCrash(error);
      });
    member.handlers.add(handler);
  };

  const leave = async (group: Group, member: Member): Promise<void> => {
    member.stopping = true;
    const held = [...group.holdings].filter(([, holding]) => holding.member === member);
    for (const [, holding] of held) holding.abort.abort();
    await Promise.all(member.handlers);
    for (const [name, holding] of held) {
      if (group.holdings.get(name) === holding) group.holdings.delete(name);
    }
    group.members.delete(member);
    rebalance(group);
  };

  return {
    ensureTopics: async (specs) => {
      assertOpen();
      for (const spec of specs) assertTopicSpec(spec);
      for (const spec of specs) {
        const { name } = spec;
        const limit = spec.maxMessageBytes ?? maxMessageBytes;
        const topic = topics.get(name) ?? {
          partitions: [],
          messages: [],
          maxMessageBytes: limit,
          nextPartition: 0,
        };
        while (topic.partitions.length < spec.partitions) topic.partitions.push([]);
        topics.set(name, topic);
      }
      for (const group of groups.values()) rebalance(group);
    },
    publish: async (messages) => {
      for (const message of messages) {
        assertMessageSize(message, topicOf(message.topic).maxMessageBytes);
      }
      for (const message of messages) append(message);
      for (const group of groups.values()) rebalance(group);
    },
    consume: async (subscription) => {
      for (const name of subscription.topics) {
        const { partitions } = topicOf(name);
        if (subscription.from === "earliest") continue;
        const { committed } = groupOf(subscription.group);
        for (const [partition, log] of partitions.entries()) {
          const slot = partitionName(name, partition);
          if (!committed.has(slot)) committed.set(slot, BigInt(log.length));
        }
      }
      const group = groupOf(subscription.group);
      members += 1;
      const id = String(members).padStart(6, "0");
      const member: Member = {
        id,
        topics: subscription.topics,
        subscription,
        handlers: new Set(),
        stopping: false,
      };
      group.members.add(member);
      rebalance(group);
      const held = (): Holding[] => [...group.holdings.values()].filter(({ member: m }) => m === member);
      const consumer: Consumer = {
        health: () => ({ joined: !member.stopping, partitions: held().length, lastPollAgoMs: 0 }),
        stop: async () => {
          consumers.delete(consumer);
          await leave(group, member);
        },
      };
      consumers.add(consumer);
      return consumer;
    },
    lag: async (group, names) =>
      names.flatMap((name) =>
        topicOf(name).partitions.map((log, partition) => ({
          topic: name,
          partition,
          committed: groups.get(group)?.committed.get(partitionName(name, partition)) ?? null,
          end: BigInt(log.length),
        })),
      ),
    async *browse(name) {
      for (const message of topicOf(name).messages.slice())
        yield { ...message, value: new Uint8Array(message.value) };
    },
    members: async (name) => {
      assertOpen();
      return [...(groups.get(name)?.members ?? [])].map(({ id }) => ({ id, host: "memory" }));
    },
    seekGroup: async (name, topic, to) => {
      const { partitions } = topicOf(topic);
      assertNoMembers(name);
      const { committed } = groupOf(name);
      for (const [partition, log] of partitions.entries())
        committed.set(partitionName(topic, partition), BigInt(indexOfPosition(log, to)));
    },
    removeGroup: async (name) => {
      assertOpen();
      assertNoMembers(name);
      groups.delete(name);
    },
    ping: async () => assertOpen(),
    close: async () => {
      await Promise.all([...consumers].map((consumer) => consumer.stop()));
      closed = true;
    },
    expireLeases: (name) => {
      const group = groups.get(name);
      if (!group) return;
      for (const holding of group.holdings.values()) holding.abort.abort();
      group.holdings.clear();
      rebalance(group);
    },
  };
}

/** Where in a partition that begins at offset 0 the position lies. */
function indexOfPosition(log: readonly StoredMessage[], to: LogPosition): number {
  if (to === "earliest") return 0;
  if (to === "latest") return log.length;
  if ("offset" in to) return Math.min(Math.max(Number(to.offset), 0), log.length);
  const index = log.findIndex(({ publishedAt }) => publishedAt >= to.timeMs);
  return index === -1 ? log.length : index;
}
