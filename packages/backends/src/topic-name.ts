import { FltsError } from "@flts/common/contracts/errors";
import type { TopicSpec } from "@flts/common/ports/message-log";

/** Kafka's rule. */
const topicName = /^[A-Za-z0-9._-]{1,249}$/;

/** Holds a topic to Kafka's rules, so that every log refuses the same ones. @throws CONFIG_INVALID */
export function assertTopicSpec({ name, partitions }: TopicSpec): void {
  if (!topicName.test(name)) {
    const text = `A topic's name has 1 to 249 letters, digits, dots, underscores and hyphens: ${name}`;
    throw new FltsError("CONFIG_INVALID", text);
  }
  if (!Number.isInteger(partitions) || partitions < 1) {
    throw new FltsError("CONFIG_INVALID", `Topic ${name} needs at least one partition, not ${partitions}`);
  }
}
