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
  // A line says when and by whom it was written: there are no two alike.
  const lines = fc.uniqueArray(fc.stringMatching(/^[a-zé]{1,8}$/), { maxLength: 4 });
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
      const all = named.flat().toSorted();
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

test("a day that is larger than memory is copied part by part", async () => {
  const parts = Array.from({ length: 20 }, (_, index) => part("", "20260103", `p${10 + index}`));
  const store = await setUp({ "default/20260103/results.jsonl": "0\n" });
  for (const [index, key] of parts.entries()) await store.put({ bucket, key }, Buffer.from(`${index + 1}\n`));
  const open = { most: 0, now: 0 };
  const watched: ObjectStore = {
    ...store,
    get: () => Promise.reject(new Error("an object was read whole")),
    stream: async (ref) => {
      const stored = await store.stream(ref);
      return stored && { ...stored, chunks: counted(stored.chunks, open) };
    },
  };
  expect(await compactLogs(watched, bucket, TODAY, never)).toMatchObject([{ parts: 20, lines: 21 }]);
  expect(open).toEqual({ most: 1, now: 0 });
});

async function* counted<T>(items: AsyncIterable<T>, open: { most: number; now: number }): AsyncGenerator<T> {
  open.now += 1;
  open.most = Math.max(open.most, open.now);
  try {
    yield* items;
  } finally {
    open.now -= 1;
  }
}

test("characters are whole where chunks cut them, and blank lines are none", async () => {
  const store = await setUp({ [part("", "20260103", "a")]: "né\n\nün" });
  const bytewise: ObjectStore = {
    ...store,
    stream: async (ref) => {
      const stored = await store.get(ref);
      return stored && { ...stored, chunks: bytesOf(stored.bytes) };
    },
  };
  await compactLogs(bytewise, bucket, TODAY, never);
  expect(await contents(store)).toEqual({ "default/20260103/results.jsonl": "né\nün\n" });
});

async function* bytesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (const byte of bytes) yield new Uint8Array([byte]);
}

test("stopped in the middle of a day it writes nothing, and leaves its parts", async () => {
  const names = ["a", "b"].map((name) => part("", "20260103", name));
  const store = await setUp(Object.fromEntries(names.map((name) => [name, "1\n"])));
  const stopping = new AbortController();
  const stopped: ObjectStore = {
    ...store,
    stream: (ref) => {
      if (ref.key === names[1]) stopping.abort(new Error("stopping"));
      return store.stream(ref);
    },
  };
  await expect(compactLogs(stopped, bucket, TODAY, stopping.signal)).rejects.toThrow("stopping");
  expect(Object.keys(await contents(store))).toEqual(names);
});

test("a day is eight digits, in UTC", () => {
  expect(dayOf(Date.UTC(2026, 0, 5, 23, 59, 59))).toBe(TODAY);
});
