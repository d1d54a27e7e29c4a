import { expect, test } from "vitest";
import { topics } from "../../src/contracts/events.ts";
import { DEAD_LETTER_MAX_BYTES } from "../../src/stage/dead-letter.ts";
import { pipelineTopics } from "../../src/stage/topics.ts";

test("a fresh log gets every topic, each with its dead letters, and those of preprocess", () => {
  const names = pipelineTopics(4).map(({ name }) => name);
  for (const { name } of topics) expect(names).toEqual(expect.arrayContaining([name, `DLQ-${name}`]));
  expect(names).toContain("DLQ-preprocess");
  expect(new Set(names).size).toBe(names.length);
});

test("events spread over partitions, dead letters lie in one and outlive the events", () => {
  const specs = pipelineTopics(4);
  const events = specs.filter(({ name }) => !name.startsWith("DLQ-"));
  const letters = specs.filter(({ name }) => name.startsWith("DLQ-"));
  expect(new Set(events.map(({ partitions }) => partitions))).toEqual(new Set([4]));
  expect(new Set(letters.map(({ partitions }) => partitions))).toEqual(new Set([1]));
  expect(Math.min(...letters.map(({ retentionMs }) => retentionMs ?? 0))).toBeGreaterThan(
    Math.max(...events.map(({ retentionMs }) => retentionMs ?? Number.POSITIVE_INFINITY)),
  );
});

test("dead letters may be as large as a dead letter gets", () => {
  for (const { name, maxMessageBytes } of pipelineTopics(1).filter((spec) => spec.name.startsWith("DLQ-")))
    expect({ name, maxMessageBytes }).toEqual({ name, maxMessageBytes: DEAD_LETTER_MAX_BYTES });
});
