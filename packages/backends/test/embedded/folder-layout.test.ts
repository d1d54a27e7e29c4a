import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pathOfKey, pathOfPrefix, readEntry, unescapeSegment } from "../../src/embedded/folder-layout.ts";

const sensitive = { foldsCase: false };
const folding = { foldsCase: true };

/** What a walk down the folders reads. */
function keyOfPath(path: readonly string[]): string {
  const segments: (string | null)[] = [];
  let begun = "";
  for (const name of path) {
    const { kind, escaped } = readEntry(name);
    begun += escaped;
    if (kind === "cut") continue;
    segments.push(unescapeSegment(begun));
    begun = "";
  }
  return segments.join("/");
}

describe("the layout of keys on disk", () => {
  test.each([
    ["PobleSec.csv", ["PobleSec.csv@"]],
    ["0/1f/artifacts/LSTM/model.onnx", ["0", "1f", "artifacts", "LSTM", "model.onnx@"]],
    ["a", ["a@"]],
    ["a/b", ["a", "b@"]],
    ["../x", ["%2E.", "x@"]],
    ["a//b/", ["a", "%", "b", "%@"]],
    ["50%/é @", ["50%25", "%C3%A9%20%40@"]],
    ["x".repeat(450), [`${"x".repeat(200)}@+`, `${"x".repeat(200)}@+`, `${"x".repeat(50)}@`]],
  ])("puts %j where people find it", (key, path) => {
    expect(pathOfKey(key, sensitive)).toStrictEqual(path);
  });

  test("escapes capitals where the file system folds case", () => {
    expect(pathOfKey("LSTM/lstm", folding)).toStrictEqual(["%4C%53%54%4D", "lstm@"]);
  });

  test("reads every key back from its path", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), fc.boolean(), (key, foldsCase) => {
        expect(keyOfPath(pathOfKey(key, { foldsCase }))).toBe(key);
      }),
    );
  });

  test("uses names that every file system takes", () => {
    const key = fc.array(
      fc.constantFrom(".", "..", "/", "@", "+", "%", "\\", ":", "A", "é", "x".repeat(300)),
    );
    fc.assert(
      fc.property(key, fc.boolean(), (parts, foldsCase) => {
        for (const name of pathOfKey(parts.join(""), { foldsCase })) {
          expect(name).toMatch(
            foldsCase ? /^[a-z0-9._\-=+,~%@A-F]{1,255}$/ : /^[A-Za-z0-9._\-=+,~%@]{1,255}$/,
          );
          expect([".", ".."]).not.toContain(name);
        }
      }),
    );
  });

  test("a long segment whose last piece is a dot names no folder of the file system's own", () => {
    const key = `${"x".repeat(200)}./a`;
    const path = pathOfKey(key, sensitive);
    expect(path[1]).toBe("%2E");
    expect(keyOfPath(path)).toBe(key);
  });

  test("leads a prefix to the folder of its last complete segment", () => {
    expect(pathOfPrefix("", sensitive)).toStrictEqual([]);
    expect(pathOfPrefix("model", sensitive)).toStrictEqual([]);
    expect(pathOfPrefix("a/b c/d", sensitive)).toStrictEqual(["a", "b%20c"]);
    expect(pathOfPrefix("a/", sensitive)).toStrictEqual(["a"]);
  });

  test("takes a name that no key has for somebody else's", () => {
    expect(unescapeSegment("100%")).toBeNull();
    expect(unescapeSegment("%E9")).toBeNull();
  });
});
