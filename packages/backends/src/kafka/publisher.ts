import { hasCode } from "@flts/common/contracts/errors";
import type { OutgoingMessage } from "@flts/common/ports/message-log";
import type { Producer } from "kafkajs";
import { messageSizeBytes } from "../message-size.ts";
import type { LazyClient } from "./lazy-client.ts";
import { toKafka } from "./messages.ts";

/**
 * Publishes without loss, and without doubling as long as no request is refused. Invariants:
 * - K1 One request at a time. A producer numbers its messages for each partition and takes a number back when a request fails; a request beside
 *   it would use that number again, and the broker would take its message for one it has.
 * - K2 A producer that failed is never used again, for the same reason: nobody knows which of its numbers the brokers have seen. (`LazyClient`)
 * - K3 A request stays well below the brokers' limit of 1 MiB, which holds for all messages to one partition together.
 */
export interface Publisher {
  /** Resolves when all messages are durable. */
  publish(messages: readonly OutgoingMessage[]): Promise<void>;
}

interface Call {
  readonly messages: readonly OutgoingMessage[];
  readonly done: PromiseWithResolvers<void>;
}

const requestBytes = 512 * 1024;

export function createPublisher(
  producer: LazyClient<Pick<Producer, "connect" | "disconnect" | "sendBatch">>,
): Publisher {
  const waiting: Call[] = [];
  let sending = false;

  const send = (messages: readonly OutgoingMessage[]): Promise<void> => {
    const topics = [...new Set(messages.map(({ topic }) => topic))];
    return producer.use(`publish to ${topics.join(", ")}`, async ({ sendBatch }) => {
      for (const request of requestsOf(messages)) {
        const topicMessages = topics.map((topic) => ({
          topic,
          messages: request.filter((message) => message.topic === topic).map(toKafka),
        }));
        await sendBatch({
          acks: -1,
          topicMessages: topicMessages.filter((sent) => sent.messages.length > 0),
        });
      }
    });
  };

  /** What waits goes out together; calls that wait meanwhile go with the next request (K1). */
  const sendAll = async (): Promise<void> => {
    sending = true;
    for (let calls = takeCalls(waiting); calls.length > 0; calls = takeCalls(waiting)) {
      try {
        await send(calls.flatMap(({ messages }) => messages));
        for (const { done } of calls) done.resolve();
      } catch (error) {
        if (calls.length === 1 || hasCode(error, "LOG_UNAVAILABLE"))
          for (const { done } of calls) done.reject(error);
        // One of them is at fault: each for itself. What other brokers had taken of the request comes twice, as after any failed publish.
        else for (const { messages, done } of calls) await send(messages).then(done.resolve, done.reject);
      }
    }
    sending = false;
  };

  return {
    publish: async (messages) => {
      if (messages.length === 0) return;
      const call: Call = { messages, done: Promise.withResolvers<void>() };
      waiting.push(call);
      if (!sending) void sendAll();
      await call.done.promise;
    },
  };
}

/** The calls that fit one request, at least one. */
function takeCalls(waiting: Call[]): readonly Call[] {
  let sizeBytes = 0;
  const fitting = waiting.findIndex(({ messages }) => {
    for (const message of messages) sizeBytes += messageSizeBytes(message);
    return sizeBytes > requestBytes;
  });
  return waiting.splice(0, fitting === -1 ? waiting.length : Math.max(1, fitting));
}

/** Cuts messages into requests of moderate size (K3), in their order. */
function requestsOf(messages: readonly OutgoingMessage[]): readonly (readonly OutgoingMessage[])[] {
  const requests: OutgoingMessage[][] = [];
  let room = 0;
  for (const message of messages) {
    const sizeBytes = messageSizeBytes(message);
    if (requests.length === 0 || sizeBytes > room) {
      requests.push([]);
      room = requestBytes;
    }
    requests.at(-1)?.push(message);
    room -= sizeBytes;
  }
  return requests;
}
