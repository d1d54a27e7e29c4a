import type { StoredMessage } from "@flts/common/ports/message-log";
import type { LogClient } from "./log-client.ts";

/** The messages of a topic up to the end it has now: in order within each partition, by time between them. */
export async function* browseTopic(client: LogClient, topic: string): AsyncGenerator<StoredMessage> {
  // The lag of a group that nobody has is the ends of all partitions.
  const ends = await client.call("lag", "", [topic]);
  const cursors = ends.map(({ partition, end }) => readPartition(client, topic, partition, end));
  const heads = await Promise.all(cursors.map(nextOf));
  for (;;) {
    const oldest = indexOfOldest(heads);
    const message = heads[oldest];
    const cursor = cursors[oldest];
    if (!message || !cursor) return;
    yield message;
    heads[oldest] = await nextOf(cursor);
  }
}

async function* readPartition(
  client: LogClient,
  topic: string,
  partition: number,
  end: bigint,
): AsyncGenerator<StoredMessage> {
  for (let from = 0n; from < end; ) {
    const page = await client.call("page", topic, partition, from);
    if (page.length === 0) return;
    for (const message of page) {
      if (message.offset >= end) return;
      yield message;
      from = message.offset + 1n;
    }
  }
}

async function nextOf(cursor: AsyncGenerator<StoredMessage>): Promise<StoredMessage | null> {
  const { done, value } = await cursor.next();
  return done === true ? null : value;
}

/** Index of the message that was published first, or -1 when there is none. */
function indexOfOldest(heads: readonly (StoredMessage | null)[]): number {
  let oldest = -1;
  for (const [index, message] of heads.entries()) {
    const best = heads[oldest];
    if (message && (!best || message.publishedAt < best.publishedAt)) oldest = index;
  }
  return oldest;
}
