import type { OutgoingMessage, StoredMessage } from "@flts/common/ports/message-log";
import type { IHeaders, KafkaMessage, Message } from "kafkajs";

/** A message of ours as Kafka takes it. */
export function toKafka({ key, value, headers }: OutgoingMessage): Message {
  return { key, value: Buffer.from(value), ...(headers && { headers: { ...headers } }) };
}

/**
 * A message of Kafka's as we show it. Other producers may leave out the value (a tombstone; here without bytes), put any bytes into keys and
 * headers (here read as UTF-8), and repeat headers (the last one counts, as in Kafka's own clients).
 */
export function toStored(topic: string, partition: number, message: KafkaMessage): StoredMessage {
  return {
    topic,
    partition,
    offset: BigInt(message.offset),
    key: message.key === null ? null : message.key.toString(),
    value: message.value ?? new Uint8Array(),
    headers: headersOf(message.headers ?? {}),
    publishedAt: Number(message.timestamp),
  };
}

function headersOf(headers: IHeaders): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const last = Array.isArray(value) ? value.at(-1) : value;
      return [name, String(last ?? "")];
    }),
  );
}
