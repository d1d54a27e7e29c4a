/**
 * What the stages need of Kafka: named topics of ordered partitions, consumer groups with committed offsets, at-least-once
 * delivery. A message that is not committed is delivered again, to this member or to the next owner of its partition.
 */
export interface MessageLog {
  /** Creates the topics and the partitions that are missing; never shrinks, deletes or changes what is there. @throws CONFIG_INVALID */
  ensureTopics(topics: readonly TopicSpec[]): Promise<void>;
  /**
   * Resolves when all messages are durable; messages with equal keys keep their order. A call that fails may have published some of them,
   * but none when it is MESSAGE_TOO_LARGE.
   * @throws MESSAGE_TOO_LARGE, LOG_UNAVAILABLE, TOPIC_MISSING
   */
  publish(messages: readonly OutgoingMessage[]): Promise<void>;
  /**
   * Joins the group; resolves when this member is in it, so that nothing published later is missed. From then on the consumer outlives outages of the
   * log by itself. @throws TOPIC_MISSING, LOG_FORBIDDEN, LOG_UNAVAILABLE
   */
  consume(subscription: Subscription): Promise<Consumer>;
  /** How far each group has come, for operators and probes. */
  lag(group: string, topics: readonly string[]): Promise<readonly PartitionLag[]>;
  /** Messages of a topic as they lie in the log, oldest first within each partition, without a group; ends at the present end. */
  browse(topic: string): AsyncIterable<StoredMessage>;
  /** Who is in the group now; nobody when it is not known. */
  members(group: string): Promise<readonly GroupMember[]>;
  /**
   * Moves the committed offsets of the group in all partitions of a topic, so that its next members begin there: a replay, or a leap.
   * Nobody can do this under the hands of members, whose next commits would undo it. @throws TOPIC_MISSING, LOG_UNAVAILABLE while it has members
   */
  seekGroup(group: string, topic: string, to: LogPosition): Promise<void>;
  /** Forgets a group; an unknown one is forgotten already. @throws LOG_UNAVAILABLE while it has members */
  removeGroup(group: string): Promise<void>;
  /** Resolves when the log answers. @throws LOG_UNAVAILABLE, LOG_FORBIDDEN */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** How long messages are kept; the log's default when not given. */
  readonly retentionMs?: number;
  /** Largest value of a message; the log's default when not given. */
  readonly maxMessageBytes?: number;
}

export interface OutgoingMessage {
  readonly topic: string;
  /** Equal keys go to the same partition; null goes to any. */
  readonly key: string | null;
  readonly value: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface StoredMessage {
  readonly topic: string;
  readonly partition: number;
  /** Position in the partition, counted from 0, without gaps visible to the reader's logic. */
  readonly offset: bigint;
  readonly key: string | null;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** When it was published, milliseconds since 1970 UTC. */
  readonly publishedAt: number;
}

/** A message on its way through a handler. */
export interface Delivery extends StoredMessage {
  /** Aborts when the partition moves to another member or the consumer is told to stop. */
  readonly signal: AbortSignal;
  /**
   * Makes the message done for the group. @throws OWNERSHIP_LOST when the partition has moved: somebody else will handle the message;
   * LOG_UNAVAILABLE when it may be tried again
   */
  commit(): Promise<void>;
}

export interface Subscription {
  readonly group: string;
  readonly topics: readonly string[];
  /** Where a group that has committed nothing begins. `latest` commits the present end on joining, so that a restart misses nothing. */
  readonly from: "earliest" | "latest";
  /** Most deliveries in flight over all partitions; one at a time within a partition. Default 1 per owned partition. */
  readonly maxInFlight?: number;
  /**
   * Called once per delivery, in order within a partition; the next one of the partition waits for it to settle. It may take as long as it likes:
   * membership is kept meanwhile. A delivery that settles uncommitted blocks its partition until another member owns it or this consumer is stopped.
   * A rejection is a bug of the handler: it ends the consumer (`onCrash`), and the message is delivered to the next owner.
   */
  readonly onDelivery: (delivery: Delivery) => Promise<void>;
  /** Told of an error that ended the consumer; it does not come back by itself. */
  readonly onCrash: (error: unknown) => void;
}

export interface Consumer {
  health(): ConsumerHealth;
  /**
   * Takes no more deliveries, aborts those in flight, waits for their handlers (which may still commit), leaves the group. Not to be awaited
   * by a handler.
   */
  stop(): Promise<void>;
}

export interface ConsumerHealth {
  readonly joined: boolean;
  readonly partitions: number;
  /** Age of the last successful exchange with the log. */
  readonly lastPollAgoMs: number;
}

/** A member of a group, as the log knows it. */
export interface GroupMember {
  readonly id: string;
  /** Its address, or its process. */
  readonly host: string;
}

/**
 * A place in each partition of a topic: its oldest message, its end, the first message published at or after a time (milliseconds since
 * 1970 UTC; the end when there is none), or an offset (the nearest one that the partition has).
 */
export type LogPosition = "earliest" | "latest" | { readonly timeMs: number } | { readonly offset: bigint };

export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  /** Next offset the group will handle; null when it has committed nothing. */
  readonly committed: bigint | null;
  /** Offset the next published message will get. */
  readonly end: bigint;
}
