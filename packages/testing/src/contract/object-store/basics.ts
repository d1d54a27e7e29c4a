import { describe, expect, test } from "vitest";
import { collect } from "../collect.ts";
import { expectCode } from "../expect-code.ts";
import { keysOf, read, readStream, text } from "./probes.ts";
import type { StoreSuite } from "./suite.ts";

export function basics(suite: StoreSuite): void {
  describe("reading and writing", () => {
    test("gives back the bytes it was given, under one ETag in every answer", async () => {
      const put = await suite.store.put(suite.at("folder/object"), text("hello"), {
        contentType: "text/plain",
      });
      const got = await suite.store.get(suite.at("folder/object"));
      expect(read(got)).toBe("hello");
      expect(put.sizeBytes).toBe(5);
      expect(got).toMatchObject(put);
      expect(await suite.store.head(suite.at("folder/object"))).toStrictEqual(put);
      expect(await keysOf(suite.store, suite.bucket)).toStrictEqual(["folder/object"]);
      const [listed] = await collect(suite.store.list(suite.bucket, ""));
      expect(listed).toMatchObject({ ...put, modifiedAt: expect.any(Number) });
      const streamed = await suite.store.stream(suite.at("folder/object"));
      expect(streamed).toMatchObject(put);
      expect(await readStream(streamed)).toBe("hello");
    });

    test("answers null for what is absent, also in an absent bucket", async () => {
      for (const ref of [suite.at("nothing"), { bucket: "contract-absent", key: "nothing" }]) {
        expect(await suite.store.get(ref)).toBeNull();
        expect(await suite.store.head(ref)).toBeNull();
        expect(await suite.store.stream(ref)).toBeNull();
      }
      expect(await keysOf(suite.store, "contract-absent")).toStrictEqual([]);
    });

    test("refuses to write into an absent bucket, and names it", async () => {
      const ref = { bucket: "contract-absent", key: "a/b" };
      await expectCode("BUCKET_MISSING", suite.store.put(ref, text("x")), /contract-absent/);
      await expectCode("BUCKET_MISSING", suite.store.put({ ...ref, key: "a" }, text("x")));
    });

    test("ensures a bucket that is there already without touching it", async () => {
      await suite.store.put(suite.at("kept"), text("kept"));
      await suite.store.ensureBucket(suite.bucket);
      expect(read(await suite.store.get(suite.at("kept")))).toBe("kept");
    });

    test("stores an object without bytes", async () => {
      await suite.store.put(suite.at("empty"), new Uint8Array());
      expect(await suite.store.get(suite.at("empty"))).toMatchObject({ sizeBytes: 0 });
      expect(await readStream(await suite.store.stream(suite.at("empty")))).toBe("");
    });

    test("keeps its own copy of the bytes", async () => {
      const bytes = text("before");
      await suite.store.put(suite.at("copy"), bytes);
      bytes.fill(0);
      (await suite.store.get(suite.at("copy")))?.bytes.fill(0);
      expect(read(await suite.store.get(suite.at("copy")))).toBe("before");
    });

    test("replaces an object, and gives the new version another ETag", async () => {
      const first = await suite.store.put(suite.at("object"), text("one"));
      const second = await suite.store.put(suite.at("object"), text("three"));
      expect(second.etag).not.toBe(first.etag);
      expect(read(await suite.store.get(suite.at("object")))).toBe("three");
      expect(await suite.store.head(suite.at("object"))).toStrictEqual({ etag: second.etag, sizeBytes: 5 });
    });

    test("removes an object, and an absent one without complaint", async () => {
      await suite.store.put(suite.at("a/b"), text("x"));
      await suite.store.put(suite.at("a/c"), text("x"));
      await suite.store.remove(suite.at("a/b"));
      expect(await suite.store.get(suite.at("a/b"))).toBeNull();
      expect(await keysOf(suite.store, suite.bucket)).toStrictEqual(["a/c"]);
      for (const key of ["a/b", "a/b", "a/b/below", "a", "a/c"]) await suite.store.remove(suite.at(key));
      expect(await keysOf(suite.store, suite.bucket)).toStrictEqual([]);
      await suite.store.remove({ bucket: "contract-absent", key: "a" });
    });

    test("finds nothing where others' keys pass through", async () => {
      await suite.store.put(suite.at("a/b/c"), text("x"));
      for (const key of ["a", "a/b", "a/b/c/d"]) {
        expect(await suite.store.get(suite.at(key))).toBeNull();
        expect(await suite.store.head(suite.at(key))).toBeNull();
        expect(await suite.store.stream(suite.at(key))).toBeNull();
      }
    });

    test("answers a ping", async () => {
      await expect(suite.store.ping()).resolves.toBeUndefined();
    });
  });
}
