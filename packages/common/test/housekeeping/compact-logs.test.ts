import { withFaults } from "@flts/testing/faults";
import { createMemoryStore } from "@flts/testing/memory-store";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FltsError } from "../../src/contracts/errors.ts";
import { buckets, keys } from "../../src/contracts/layout.ts";
import { compactLogs } from "../../src/housekeeping/compact-logs.ts";
import { dayOf } from "../../src/housekeeping/housekeeping.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";

const bucket = buckets.inferenceLogs;
const never = new AbortController().signal;
const TODAY = "20260105";

async function setUp(objects: Readonly<Record<string, string>>) {
  const store = createMemoryStore();
  await store.ensureBucket(bucket);
  for (const [key, text] of Object.entries(objects)) await store.put({ bucket, key }, Buffer.from(text));
  return store;
}

async function contents(store: ObjectStore): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for await (const { key } of store.list(bucket, ""))
    all[key] = Buffer.from((await store.get({ bucket, key }))!.bytes).toString();
  return all;
}

const part = (identifier: string, day: string, name: string): string =>
  keys.inferenceLogPart(identifier, day, name);

test("the parts of each past day and station become one object at the reference's place", async () => {
  const store = await setUp({
    [part("", "20260103", "a-1")]: "1\n2\n",
    [part("", "20260103", "b-1")]: "3\n",
    [part("north", "20260104", "a-1")]: "4\n",
    [part("north", TODAY, "a-1")]: "5\n",
  });
  expect(await compactLogs(store, bucket, TODAY, never)).toEqual([
    { key: "default/20260103/results.jsonl", parts: 2, lines: 3 },
    { key: "north/20260104/results.jsonl", parts: 1, lines: 1 },
  ]);
  expect(await contents(store)).toEqual({
    "default/20260103/results.jsonl": "1\n2\n3\n",
    "north/20260104/results.jsonl": "4\n",
    [part("north", TODAY, "a-1")]: "5\n",
  });
});

test("a part that comes late joins its day", async () => {
  const store = await setUp({
    [keys.inferenceLog("", "20260103")]: "1\n",
    [part("", "20260103", "late")]: "2\n",
  });
  await compactLogs(store, bucket, TODAY, never);
  expect(await contents(store)).toEqual({ "default/20260103/results.jsonl": "1\n2\n" });
});

test("wherever a compaction dies, the next one ends with every line once", async () => {
  const lines = fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(lines, { maxLength: 4 }), fc.nat(6), async (parts, survives) => {
      const named = parts.map((texts, index) => texts.map((text) => `${index} ${text}`));
      const store = await setUp(
        Object.fromEntries(
          named.map((texts, index) => [
            part("", "20260103", `p${index}`),
            texts.map((t) => `${t}\n`).join(""),
          ]),
        ),
      );
      const { port, failNext } = withFaults(store);
      let calls = 0;
      const mortal = new Proxy(port, {
        get: (target, name, receiver) => {
          if (name === "put" || name === "remove") {
            calls += 1;
            if (calls > survives) failNext(name, new FltsError("STORE_UNAVAILABLE", "down"));
          }
          return Reflect.get(target, name, receiver) as unknown;
        },
      });
      await compactLogs(mortal, bucket, TODAY, never).catch(() => undefined);
      await compactLogs(store, bucket, TODAY, never);
      const all = [...new Set(named.flat())].toSorted();
      const after = await contents(store);
      const text = after["default/20260103/results.jsonl"] ?? "";
      expect(
        text
          .split("\n")
          .filter((line) => line !== "")
          .toSorted(),
      ).toEqual(all);
      expect(Object.keys(after).filter((key) => key.includes("/parts/"))).toEqual([]);
    }),
  );
});

test("of two compactions of a day one writes it, and no part goes unread", async () => {
  const store = await setUp({ [part("", "20260103", "a")]: "1\n" });
  const { port, failNext } = withFaults(store);
  failNext("put", new FltsError("OBJECT_CONFLICT", "another wrote it"));
  expect(await compactLogs(port, bucket, TODAY, never)).toEqual([]);
  expect(Object.keys(await contents(store))).toEqual([part("", "20260103", "a")]);
});

test("a day is eight digits, in UTC", () => {
  expect(dayOf(Date.UTC(2026, 0, 5, 23, 59, 59))).toBe(TODAY);
});
