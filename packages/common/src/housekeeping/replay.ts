import { FltsError } from "../contracts/errors.ts";
import type { LogPosition, MessageLog, OutgoingMessage, StoredMessage } from "../ports/message-log.ts";
import { DEADLINE_HEADER } from "../stage/deadline.ts";

export interface Replay {
  readonly group: string;
  readonly topic: string;
  readonly to: LogPosition;
  /** Replay although members are at work. */
  readonly force: boolean;
}

/** What a replay came to. */
export type Replayed =
  /** The group begins there when its next member joins. */
  | { readonly kind: "moved" }
  /** Members are at work, so the messages were published once more: every group of the topic hears them. */
  | { readonly kind: "published"; readonly messages: number };

/** Messages of one publish. */
const BATCH = 100;

/**
 * Lets a group handle messages of a topic again, or leap over some. Offsets cannot be moved under the hands of members, whose next commits would undo it.
 * Forced, the messages themselves come again: handling twice equals handling once, so other groups only lose time.
 * @throws GROUP_ACTIVE while the group has members and it is not forced, or when it is forced to leap; TOPIC_MISSING, LOG_UNAVAILABLE
 */
export async function replay(log: MessageLog, { group, topic, to, force }: Replay): Promise<Replayed> {
  const members = await log.members(group);
  if (members.length === 0) {
    await log.seekGroup(group, topic, to);
    return { kind: "moved" };
  }
  const names = members.map(({ id, host }) => `${id} on ${host}`).join(", ");
  if (!force)
    throw new FltsError(
      "GROUP_ACTIVE",
      `group ${group} has ${members.length} member(s) at work (${names}): stop them first, or publish the messages once more with --force`,
    );
  if (to === "latest")
    throw new FltsError(
      "GROUP_ACTIVE",
      `group ${group} has ${members.length} member(s) at work (${names}): nobody but they can leap to the end, stop them first`,
    );
  return { kind: "published", messages: await publishAgain(log, topic, to) };
}

async function publishAgain(
  log: MessageLog,
  topic: string,
  to: Exclude<LogPosition, "latest">,
): Promise<number> {
  let count = 0;
  let batch: OutgoingMessage[] = [];
  const flush = async (): Promise<void> => {
    await log.publish(batch);
    count += batch.length;
    batch = [];
  };
  for await (const message of log.browse(topic)) {
    if (!isBehind(message, to)) continue;
    const { [DEADLINE_HEADER]: _deadline, ...headers } = message.headers;
    batch.push({ topic, key: message.key, value: message.value, headers });
    if (batch.length === BATCH) await flush();
  }
  await flush();
  return count;
}

/** Whether a message lies at the position or after it. */
function isBehind(message: StoredMessage, to: Exclude<LogPosition, "latest">): boolean {
  if (to === "earliest") return true;
  return "timeMs" in to ? message.publishedAt >= to.timeMs : message.offset >= to.offset;
}
