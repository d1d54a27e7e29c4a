import {
  type Admin,
  type Consumer,
  Kafka,
  logLevel,
  Partitioners,
  type Producer,
  type RetryOptions,
} from "kafkajs";
import { calmRequestQueues } from "./calm-queues.ts";
import type { KafkaConnection } from "./connection.ts";
import type { StickyAssigner } from "./sticky-assigner.ts";

/** Makes kafkajs's clients, none of them connected. */
export interface KafkaClients {
  admin(): Admin;
  producer(): Producer;
  /** @param assigner kafkajs's own when not given: for a member that is alone in its group */
  consumer(group: string, assigner?: StickyAssigner): Consumer;
}

/** An answer that takes longer is taken for lost. */
const requestTimeoutMs = 10_000;

/** Asking now and then: an admin's caller waits two or three seconds for a log that is away. */
const briefRetry = { initialRetryTime: 100, maxRetryTime: 1000, retries: 4, factor: 0.2, multiplier: 2 };
/** Half a minute for a broker that restarts: a publish that fails makes a stage repeat its work. */
const publishRetry = { ...briefRetry, retries: 30 };
/** A minute, in which a member stays in its group and keeps what it works on. Then its supervisor begins anew. */
const memberRetry = { ...briefRetry, retries: 60, restartOnFailure: () => Promise.resolve(false) };

export function createKafkaClients(connection: KafkaConnection): KafkaClients {
  const { brokers, clientId, tls, sasl, sessionTimeoutMs } = connection;
  calmRequestQueues();
  /** One for each client: members of one group that share an instance overwrite each other's offsets. */
  const kafka = (retry: RetryOptions): Kafka =>
    new Kafka({
      brokers: [...brokers],
      clientId,
      connectionTimeout: 3000,
      requestTimeout: requestTimeoutMs,
      // Here, because connections are retried by this and not by what the client itself is given.
      retry,
      // Two error lines for each attempt to connect would bury our own: what matters arrives as an error with a code.
      logLevel: logLevel.NOTHING,
      logCreator: () => () => {},
      ...(tls && { ssl: { ...tls } }),
      ...(sasl && { sasl: saslOf(sasl) }),
    });
  return {
    admin: () => kafka(briefRetry).admin(),
    producer: () =>
      kafka(publishRetry).producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner: createSteadyPartitioner,
      }),
    consumer: (groupId, assigner) =>
      kafka(memberRetry).consumer({
        groupId,
        sessionTimeout: sessionTimeoutMs,
        heartbeatInterval: Math.min(1000, sessionTimeoutMs / 6),
        // A member that must rejoin notices within a heartbeat; one that does not within this time is left out.
        rebalanceTimeout: Math.max(10_000, sessionTimeoutMs),
        allowAutoTopicCreation: false,
        // How long a fetch waits for messages, and so how long stopping takes; it costs no latency.
        maxWaitTimeInMs: 300,
        // New partitions are noticed so soon.
        metadataMaxAge: 5000,
        retry: memberRetry,
        ...(assigner && { partitionAssigners: [assigner] }),
      }),
  };
}

function saslOf({ mechanism, ...login }: NonNullable<KafkaConnection["sasl"]>) {
  switch (mechanism) {
    case "PLAIN":
      return { mechanism: "plain", ...login } as const;
    case "SCRAM-SHA-256":
      return { mechanism: "scram-sha-256", ...login } as const;
    case "SCRAM-SHA-512":
      return { mechanism: "scram-sha-512", ...login } as const;
  }
}

/**
 * Kafka's own partitioner (murmur2 of the key, else in turn), but a message that is sent again goes where it went: sent elsewhere
 * it would be there twice, and its sequence number at the first partition would hide the message after it.
 */
const createSteadyPartitioner: typeof Partitioners.DefaultPartitioner = () => {
  const choose = Partitioners.DefaultPartitioner();
  const chosen = new WeakMap<object, number>();
  return (args) => {
    const partition = chosen.get(args.message) ?? choose(args);
    chosen.set(args.message, partition);
    return partition;
  };
};
