import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { expectCode } from "../expect-code.ts";
import { digestOf, read, readStream, repeat, text } from "./probes.ts";
import type { StoreSuite } from "./suite.ts";

export function streams(suite: StoreSuite): void {
  describe("streams", () => {
    test("carries 24 MiB in and out in chunks", async () => {
      const chunk = Buffer.alloc(1024 * 1024, "0123456789abcdef");
      const { sizeBytes } = await suite.store.put(suite.at("big"), repeat(chunk, 24), {
        maxBytes: 24 * chunk.length,
      });
      expect(sizeBytes).toBe(24 * chunk.length);
      const streamed = await suite.store.stream(suite.at("big"));
      let chunks = 0;
      const digest = createHash("sha256");
      for await (const part of streamed?.chunks ?? []) {
        chunks += 1;
        digest.update(part);
      }
      expect(chunks).toBeGreaterThan(1);
      expect(digest.digest("hex")).toBe(await digestOf(repeat(chunk, 24)));
    });

    test("refuses a stream that is longer than allowed, and writes nothing", async () => {
      await suite.store.put(suite.at("limited"), text("before"));
      const put = suite.store.put(suite.at("limited"), repeat(Buffer.alloc(1000), 11), { maxBytes: 10_999 });
      await expectCode("OBJECT_TOO_LARGE", put, /10999/);
      expect(read(await suite.store.get(suite.at("limited")))).toBe("before");
      const exact = await suite.store.put(suite.at("limited"), repeat(Buffer.alloc(1000), 11), {
        maxBytes: 11_000,
      });
      expect(exact.sizeBytes).toBe(11_000);
    });

    test("passes on the error of a stream that breaks, and writes nothing", async () => {
      await expect(suite.store.put(suite.at("broken"), breaks())).rejects.toThrow("the sender hung up");
      expect(await suite.store.get(suite.at("broken"))).toBeNull();
    });

    test("lets a reader leave early", async () => {
      await suite.store.put(suite.at("left"), repeat(Buffer.alloc(1024 * 1024), 2));
      for await (const part of (await suite.store.stream(suite.at("left")))?.chunks ?? []) {
        expect(part.byteLength).toBeGreaterThan(0);
        break;
      }
      await suite.store.remove(suite.at("left"));
    });

    test("shows every reader a whole version while it is replaced", async () => {
      await suite.store.put(suite.at("hot"), version("a"));
      const reading = new AbortController();
      const writer = (async () => {
        for (const letter of "bcdefghijklmnopqrstuvwxyz")
          await suite.store.put(suite.at("hot"), version(letter));
        reading.abort();
      })();
      while (!reading.signal.aborted) {
        const streamed = await readStream(await suite.store.stream(suite.at("hot")));
        for (const content of [read(await suite.store.get(suite.at("hot"))), streamed]) {
          expect(content).toHaveLength(40_000);
          expect(new Set(content)).toHaveProperty("size", 1);
        }
      }
      await writer;
    });
  });
}

const version = (letter: string): Uint8Array => Buffer.alloc(40_000, letter);

async function* breaks(): AsyncGenerator<Uint8Array> {
  yield text("half");
  throw new Error("the sender hung up");
}
