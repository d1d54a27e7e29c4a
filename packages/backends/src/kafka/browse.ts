import { randomUUID } from "node:crypto";
import { FltsError } from "@flts/common/contracts/errors";
import type { StoredMessage } from "@flts/common/ports/message-log";
import type { Admin, Consumer, EachBatchPayload } from "kafkajs";
import { kafkaError } from "./errors.ts";
import { disconnect, type LazyClient } from "./lazy-client.ts";
import { toStored } from "./messages.ts";

/** So many messages are read ahead of who browses. */
const pageMessages = 1000;
const silenceMs = 30_000;

/**
 * The messages of a topic up to the end it has now, in order within each partition. kafkajs reads in groups only, so this is a group of one that
 * commits nothing and is removed afterwards.
 */
export async function* browseTopic(
  topic: string,
  admin: LazyClient<Admin>,
  makeConsumer: (group: string) => Consumer,
): AsyncGenerator<StoredMessage> {
  /** Where each partition that is not yet read to its end begins and ends. */
  const open = new Map<number, { next: bigint; readonly end: bigint }>();
  const bounds = await admin.use(`browse ${topic}`, (client) => client.fetchTopicOffsets(topic));
  for (const { partition, low, high } of bounds)
    if (BigInt(low) < BigInt(high)) open.set(partition, { next: BigInt(low), end: BigInt(high) });
  if (open.size === 0) return;

  const group = `flts-browse-${randomUUID()}`;
  const consumer = makeConsumer(group);
  const read: StoredMessage[] = [];
  const failed = new AbortController();
  let news = Promise.withResolvers<void>();

  /** Notes how far a partition was read; markers of transactions, which are no messages, lead to the end as well. */
  const advance = (partition: number, lastOffset: string): void => {
    const progress = open.get(partition);
    if (!progress) return;
    if (BigInt(lastOffset) >= progress.next) progress.next = BigInt(lastOffset) + 1n;
    if (progress.next >= progress.end) open.delete(partition);
    news.resolve();
  };
  const onBatch = async ({ batch, resolveOffset, pause }: EachBatchPayload): Promise<void> => {
    const progress = open.get(batch.partition);
    if (!progress) return void pause();
    const { next, end } = progress;
    const messages = batch.messages.map((message) => toStored(topic, batch.partition, message));
    read.push(...messages.filter(({ offset }) => offset >= next && offset < end));
    resolveOffset(batch.lastOffset());
    advance(batch.partition, batch.lastOffset());
    if (read.length >= pageMessages) consumer.pause([{ topic }]);
  };
  const fail = (error: Error): void => {
    failed.abort(error);
    news.resolve();
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => fail(payload.error));
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) =>
    advance(payload.partition, payload.lastOffset),
  );

  let silence: NodeJS.Timeout | undefined;
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: onBatch });
    while (open.size > 0 || read.length > 0) {
      failed.signal.throwIfAborted();
      if (read.length > 0) {
        yield* read.splice(0);
        consumer.resume([{ topic }]);
        continue;
      }
      silence = setTimeout(
        fail,
        silenceMs,
        new FltsError("LOG_UNAVAILABLE", `${topic} fell silent while it was read`),
      );
      await news.promise;
      clearTimeout(silence);
      news = Promise.withResolvers();
    }
  } catch (error) {
    throw kafkaError(error, `browse ${topic}`);
  } finally {
    clearTimeout(silence);
    await disconnect(consumer);
    await admin.use(`remove group ${group}`, (client) => client.deleteGroups([group])).catch(() => null);
  }
}
