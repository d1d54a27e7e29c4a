import { FltsError } from "@flts/common/contracts/errors";
import { deadLetterOf } from "@flts/common/stage/dead-letter";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createOperator, type Operator } from "./operator.ts";

let operator: Operator;

beforeEach(async () => {
  operator = await createOperator();
  await giveUp("training-data", "CLAIM_CORRUPT");
  await giveUp("training-data", "CLAIM_FORBIDDEN");
  await giveUp("model-training", "EVENT_INVALID");
});
afterEach(() => operator.leave());

async function giveUp(topic: string, code: "CLAIM_CORRUPT" | "CLAIM_FORBIDDEN" | "EVENT_INVALID") {
  const message = { topic, key: "k", value: Buffer.from(JSON.stringify({ code })), headers: {} };
  const { log } = operator.backends;
  await log.publish([message]);
  const [{ end } = { end: 0n }] = await log.lag("nobody", [topic]);
  const stored = { ...message, partition: 0, offset: end - 1n, publishedAt: 0 };
  const error = new FltsError(code, `because of ${code}`);
  await log.publish([deadLetterOf({ stage: "train", message: stored, error, attempts: 2, now: 0 })]);
}

async function countOf(topic: string): Promise<number> {
  let count = 0;
  for await (const { offset } of operator.backends.log.browse(topic))
    count = Math.max(count, Number(offset) + 1);
  return count;
}

const idsIn = (result: unknown): string[] =>
  (result as { letters: { id: string }[] }).letters.map(({ id }) => id);

test("the list names every dead letter, its code and its reason", async () => {
  const { said, result } = await operator.flts("dlq", "list");
  expect(idsIn(result)).toEqual(["DLQ-training-data/0/0", "DLQ-training-data/0/1", "DLQ-model-training/0/0"]);
  expect(result).toMatchObject({ letters: [{ code: "CLAIM_CORRUPT", attempts: 2, redriven: null }, {}, {}] });
  expect(said).toContain("because of CLAIM_FORBIDDEN");
});

test.each([
  [["--topic", "training-data"], 2],
  [["--code", "EVENT_INVALID"], 1],
  [["--topic", "DLQ-training-data", "--code", "CLAIM_CORRUPT"], 1],
  [["--since", "2020-01-01"], 3],
  [["--until", "2020-01-01T00:00:00Z"], 0],
] as const)("filtered by %j there are %i", async (filter, count) => {
  const { result } = await operator.flts("dlq", "list", ...filter);
  expect(idsIn(result)).toHaveLength(count);
});

test("one is shown whole, with its message", async () => {
  const { result } = await operator.flts("dlq", "show", "DLQ-training-data/0/1");
  expect(result).toMatchObject({
    letter: { topic: "training-data", offset: "1", payload: { code: "CLAIM_FORBIDDEN" } },
  });
});

test("one is redriven, then all that are left; again there is nothing to do", async () => {
  const one = await operator.flts("dlq", "redrive", "DLQ-training-data/0/0");
  expect(one.result).toMatchObject({ published: 1 });
  const all = await operator.flts("dlq", "redrive", "--all");
  expect(all.result).toMatchObject({ published: 2 });
  expect(all.said).toContain("DLQ-training-data/0/0  was published again before");
  expect((await operator.flts("dlq", "redrive", "--all")).result).toMatchObject({ published: 0 });
  expect([await countOf("training-data"), await countOf("model-training")]).toEqual([4, 2]);
  const { result } = await operator.flts("dlq", "list");
  expect(result).toMatchObject({
    letters: [1, 2, 3].map(() => ({ redriven: expect.stringMatching(/^\d{4}-/) })),
  });
});

test.each([
  [["dlq", "redrive"], 2, "say which"],
  [["dlq", "list", "--since", "yesterday"], 2, "It must be a time such as"],
  [["dlq", "show", "DLQ-training-data/0/9"], 1, "there is no dead letter DLQ-training-data/0/9"],
  [["dlq", "redrive", "DLQ-nothing/0/9"], 1, "there is no dead letter DLQ-nothing/0/9"],
] as const)("%j ends with its fault in one line", async (args, code, part) => {
  const ended = await operator.flts(...args);
  expect(ended.code).toBe(code);
  expect(ended.line).toContain(part);
});
