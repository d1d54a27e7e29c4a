import { FltsError } from "@flts/common/contracts/errors";
import type { LogPosition, OutgoingMessage, StoredMessage, TopicSpec } from "@flts/common/ports/message-log";
import { assertMessageSize, defaultMaxMessageBytes, messageSizeBytes } from "../message-size.ts";
import type { LogFile, Row } from "./log-file.ts";
import { partitionOfKey } from "./partition.ts";

export interface Retention {
  /** How long messages are kept where their topic does not say. */
  readonly ageMs: number;
  /** How many bytes of messages a partition keeps at most. */
  readonly partitionBytes: number;
}

/** Topics and their messages in the file. Writing functions must be called within a transaction. */
export interface LogRecords {
  ensureTopic(spec: TopicSpec): void;
  /** How many partitions the topic has. @throws TOPIC_MISSING */
  partitionsOf(topic: string): number;
  /** @throws TOPIC_MISSING, MESSAGE_TOO_LARGE */
  append(message: OutgoingMessage, nowMs: number): void;
  /** The first messages of a partition at or after an offset. */
  read(topic: string, partition: number, from: number, limit: number): readonly StoredMessage[];
  /** Offset that the next message will get. */
  end(topic: string, partition: number): number;
  /** The offset of a partition at which a position lies. */
  offsetOf(topic: string, partition: number, to: LogPosition): number;
  /**
   * Deletes some of what is too old or too much, oldest first.
   * @returns how many messages were deleted; zero when there is no more to do
   */
  deleteSurplus(retention: Retention, nowMs: number): number;
}

/** Keeps transactions short: others wait meanwhile. */
const deletionsAtOnce = 500;

export function createLogRecords(file: LogFile): LogRecords {
  const insertTopic = file.query(
    "INSERT OR IGNORE INTO topics (topic, retention_ms, max_message_bytes) VALUES (?, ?, ?)",
  );
  const selectLimit = file.query("SELECT max_message_bytes FROM topics WHERE topic = ?");
  const insertPartition = file.query("INSERT OR IGNORE INTO partitions (topic, partition) VALUES (?, ?)");
  const countPartitions = file.query("SELECT count(*) AS count FROM partitions WHERE topic = ?");
  const takeOffset = file.query(
    `UPDATE partitions SET next_offset = next_offset + 1, size_bytes = size_bytes + ?
     WHERE topic = ? AND partition = ? RETURNING next_offset - 1 AS offset`,
  );
  const insertMessage = file.query(
    `INSERT INTO messages (topic, partition, offset, published_at, size_bytes, key, headers, value)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const selectMessages = file.query(
    "SELECT * FROM messages WHERE topic = ? AND partition = ? AND offset >= ? ORDER BY offset LIMIT ?",
  );
  const selectEnd = file.query("SELECT next_offset FROM partitions WHERE topic = ? AND partition = ?");
  const selectFirst = file.query(
    `SELECT min(offset) AS first FROM messages WHERE topic = ? AND partition = ? AND published_at >= ?`,
  );
  const selectPartitions = file.query(
    "SELECT topic, partition, size_bytes, retention_ms FROM partitions JOIN topics USING (topic)",
  );
  const selectOldest = file.query(
    `SELECT offset, published_at, size_bytes FROM messages
     WHERE topic = ? AND partition = ? ORDER BY offset LIMIT ?`,
  );
  const deleteBefore = file.query("DELETE FROM messages WHERE topic = ? AND partition = ? AND offset <= ?");
  const reduceSize = file.query(
    "UPDATE partitions SET size_bytes = size_bytes - ? WHERE topic = ? AND partition = ?",
  );

  /** Where the next message without a key goes. */
  let turn = 0;
  const partitionsOf = (topic: string): number => {
    const count = countPartitions.first(topic)?.integer("count") ?? 0;
    if (count > 0) return count;
    throw new FltsError("TOPIC_MISSING", `There is no topic ${topic}: create it with ensureTopics`);
  };

  const end = (topic: string, partition: number): number =>
    selectEnd.first(topic, partition)?.integer("next_offset") ?? 0;
  /** Offset of the first message published at or after a time, the end when there is none. */
  const firstSince = (topic: string, partition: number, timeMs: number): number =>
    selectFirst.first(topic, partition, timeMs)?.integerOrNull("first") ?? end(topic, partition);

  return {
    ensureTopic: ({ name, partitions, retentionMs, maxMessageBytes }) => {
      insertTopic.run(name, retentionMs ?? null, maxMessageBytes ?? null);
      for (let partition = 0; partition < partitions; partition += 1) insertPartition.run(name, partition);
    },
    partitionsOf,
    append: (message, nowMs) => {
      const { topic, key, value, headers = {} } = message;
      const count = partitionsOf(topic);
      const limit = selectLimit.first(topic)?.integerOrNull("max_message_bytes");
      assertMessageSize(message, limit ?? defaultMaxMessageBytes);
      const partition = key === null ? turn++ % count : partitionOfKey(key, count);
      const sizeBytes = messageSizeBytes(message);
      const offset = takeOffset.first(sizeBytes, topic, partition)?.integer("offset") ?? 0;
      const now = Math.trunc(nowMs);
      insertMessage.run(topic, partition, offset, now, sizeBytes, key, JSON.stringify(headers), value);
    },
    read: (topic, partition, from, limit) => selectMessages.all(topic, partition, from, limit).map(messageOf),
    end,
    offsetOf: (topic, partition, to) => {
      if (to === "latest") return end(topic, partition);
      if (to === "earliest") return firstSince(topic, partition, 0);
      if ("timeMs" in to) return firstSince(topic, partition, to.timeMs);
      const [earliest, latest] = [firstSince(topic, partition, 0), end(topic, partition)];
      return Math.min(Math.max(Number(to.offset), earliest), latest);
    },
    deleteSurplus: (retention, nowMs) => {
      let deleted = 0;
      for (const row of selectPartitions.all()) {
        const topic = row.text("topic");
        const partition = row.integer("partition");
        const ageMs = row.integerOrNull("retention_ms") ?? retention.ageMs;
        const sizeBytes = row.integer("size_bytes");
        let freed = 0;
        let last: number | null = null;
        for (const message of selectOldest.all(topic, partition, deletionsAtOnce)) {
          const old = message.integer("published_at") < nowMs - ageMs;
          if (!old && sizeBytes - freed <= retention.partitionBytes) break;
          freed += message.integer("size_bytes");
          last = message.integer("offset");
        }
        if (last === null) continue;
        deleted += deleteBefore.run(topic, partition, last);
        reduceSize.run(freed, topic, partition);
      }
      return deleted;
    },
  };
}

function messageOf(row: Row): StoredMessage {
  return {
    topic: row.text("topic"),
    partition: row.integer("partition"),
    offset: BigInt(row.integer("offset")),
    key: row.textOrNull("key"),
    value: row.bytes("value"),
    headers: headersOf(row.text("headers")),
    publishedAt: row.integer("published_at"),
  };
}

function headersOf(json: string): Readonly<Record<string, string>> {
  const parsed: unknown = JSON.parse(json);
  const entries = typeof parsed === "object" && parsed !== null ? Object.entries(parsed) : [];
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}
