import { topics } from "../contracts/events.ts";
import type { TopicSpec } from "../ports/message-log.ts";
import { DEAD_LETTER_MAX_BYTES, deadLetterTopic } from "./dead-letter.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Events are kept a week: long enough for a long week-end's outage. Objects outlive them, so that they can be made again. */
export const EVENT_RETENTION_MS = 7 * DAY_MS;
export const DEAD_LETTER_RETENTION_MS = 30 * DAY_MS;

/** Dead letters of the preprocess job, which consumes no topic. */
export const PREPROCESS_DEAD_LETTERS = deadLetterTopic("preprocess");

/** Every topic of the pipeline with its dead letters: what a fresh log must have before the first message. */
export function pipelineTopics(partitions: number): readonly TopicSpec[] {
  const names = topics.map(({ name }) => name);
  return [
    ...names.map((name) => ({ name, partitions, retentionMs: EVENT_RETENTION_MS })),
    ...[...names.map(deadLetterTopic), PREPROCESS_DEAD_LETTERS].map((name) => ({
      name,
      partitions: 1,
      retentionMs: DEAD_LETTER_RETENTION_MS,
      maxMessageBytes: DEAD_LETTER_MAX_BYTES,
    })),
  ];
}
