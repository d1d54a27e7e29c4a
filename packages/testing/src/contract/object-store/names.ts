import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectCode } from "../expect-code.ts";
import { byBytes, keysOf, read, text } from "./probes.ts";
import type { StoreSuite } from "./suite.ts";

/** Keys that have broken stores: path tricks, escapes, other scripts, long segments, keys that begin like others. */
const oddKeys = [
  "a",
  "a/b",
  "a/b/c",
  "a-b",
  "A",
  "..",
  "../outside",
  "x/../y",
  "x/./y",
  "x//y",
  "/leading",
  "trailing/",
  "with space/and + plus",
  "per%cent/%2F/%",
  "at@sign/@live/x@",
  'colon:star*?"<>|\\',
  "ключ/鍵/🔑",
  "e\u0301 and \u00e9",
  "\ufffd-before-\u{1F511}",
  `${"long".repeat(200)}/end`,
  "new\nline",
  ".hidden",
  "CON",
];

export function names(suite: StoreSuite): void {
  describe("names and listings", () => {
    test("keeps objects with odd keys apart and lists them in the order of their bytes", async () => {
      const keys = oddKeys.filter((key) => suite.capabilities.refusedKeys?.includes(key) !== true);
      for (const key of keys) await suite.store.put(suite.at(key), text(`under ${key}`));
      for (const key of keys) expect(read(await suite.store.get(suite.at(key)))).toBe(`under ${key}`);
      expect(await keysOf(suite.store, suite.bucket)).toStrictEqual(keys.toSorted(byBytes));
      for (const key of keys) await suite.store.remove(suite.at(key));
      expect(await keysOf(suite.store, suite.bucket)).toStrictEqual([]);
    });

    test("lists what starts with a prefix, wherever the prefix ends", async () => {
      const keys = ["m/a", "m/ab", "m/ab/c", "m/abc/d", "m/b", "ma", "m"];
      for (const key of keys) await suite.store.put(suite.at(key), text(key));
      expect(await keysOf(suite.store, suite.bucket, "m/ab")).toStrictEqual(["m/ab", "m/ab/c", "m/abc/d"]);
      expect(await keysOf(suite.store, suite.bucket, "m/")).toStrictEqual([
        "m/a",
        "m/ab",
        "m/ab/c",
        "m/abc/d",
        "m/b",
      ]);
      expect(await keysOf(suite.store, suite.bucket, "m/ab/c")).toStrictEqual(["m/ab/c"]);
      expect(await keysOf(suite.store, suite.bucket, "m/ab/c/")).toStrictEqual([]);
      expect(await keysOf(suite.store, suite.bucket, "nothing/here")).toStrictEqual([]);
    });

    test("lists any keys with any prefix as a sorted array would be filtered", async () => {
      const segment = fc.constantFrom("a", "b", "a-", "ab", "é", "~", "a.b");
      const key = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
      let round = 0;
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(key, { maxLength: 8 }), key, async (keys, prefix) => {
          round += 1;
          for (const each of keys) await suite.store.put(suite.at(`${round}/${each}`), text(each));
          const expected = keys.filter((each) => each.startsWith(prefix)).toSorted(byBytes);
          const listed = await keysOf(suite.store, suite.bucket, `${round}/${prefix}`);
          expect(listed).toStrictEqual(expected.map((each) => `${round}/${each}`));
        }),
        { numRuns: 15 },
      );
    });

    test("refuses names that no store should take", async () => {
      for (const key of ["", "x".repeat(1025), "\ud800", "zero\0byte"]) {
        await expectCode("OBJECT_NAME_INVALID", suite.store.put(suite.at(key), text("x")));
        await expectCode("OBJECT_NAME_INVALID", suite.store.get(suite.at(key)));
      }
      for (const name of ["..", "a/b", "../x", "UPPER", "x", "a..b", "@scratch", "%2e%2e"]) {
        await expectCode("OBJECT_NAME_INVALID", suite.store.put({ bucket: name, key: "k" }, text("x")));
        await expectCode("OBJECT_NAME_INVALID", suite.store.ensureBucket(name));
      }
    });
  });
}
