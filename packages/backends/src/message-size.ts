import { FltsError } from "@flts/common/contracts/errors";
import type { OutgoingMessage } from "@flts/common/ports/message-log";

/** Kafka's default limit, which the embedded log shares. */
export const defaultMaxMessageBytes = 1024 * 1024;

/** Refuses a message before anything of its batch is written. @throws MESSAGE_TOO_LARGE */
export function assertMessageSize(message: OutgoingMessage, maxMessageBytes: number): void {
  const sizeBytes = messageSizeBytes(message);
  if (sizeBytes <= maxMessageBytes) return;
  const text = `A message to ${message.topic} has ${sizeBytes} bytes, ${maxMessageBytes} are allowed: put the bytes into the store and send a claim`;
  throw new FltsError("MESSAGE_TOO_LARGE", text);
}

/** Bytes of key, value and headers together. */
export function messageSizeBytes({ key, value, headers = {} }: OutgoingMessage): number {
  let sizeBytes = value.byteLength + Buffer.byteLength(key ?? "");
  for (const [name, text] of Object.entries(headers)) {
    sizeBytes += Buffer.byteLength(name) + Buffer.byteLength(text);
  }
  return sizeBytes;
}
