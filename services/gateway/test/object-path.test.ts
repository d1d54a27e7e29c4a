import { HttpError } from "@flts/common/service/http";
import fc from "fast-check";
import { expect, it } from "vitest";
import { parseObjectPath } from "../src/object-path.ts";

it.each([
  ["/upload/dataset/PobleSec.csv", { bucket: "dataset", key: "PobleSec.csv" }],
  ["/upload/dataset/2018/02/a.csv?x=/../..", { bucket: "dataset", key: "2018/02/a.csv" }],
  ["/upload/dataset/El%20Born.csv", { bucket: "dataset", key: "El Born.csv" }],
  ["/upload/dataset/%C3%A0.csv", { bucket: "dataset", key: "à.csv" }],
  ["/upload/dataset/..a..b", { bucket: "dataset", key: "..a..b" }],
])("reads %s", (url, ref) => {
  expect(parseObjectPath(url)).toEqual(ref);
});

it.each([
  ["no object", "/upload/dataset"],
  ["an empty object", "/upload/dataset/"],
  ["an absolute name", "/upload/dataset//etc/passwd"],
  ["a trailing slash", "/upload/dataset/a/"],
  ["dots", "/upload/dataset/../model-promotion/current.json"],
  ["dots at the end", "/upload/dataset/a/.."],
  ["a single dot", "/upload/dataset/./a"],
  ["dots as bucket", "/upload/../a"],
  ["encoded dots", "/upload/dataset/%2e%2e/a"],
  ["half-encoded dots", "/upload/dataset/.%2E/a"],
  ["encoded slashes", "/upload/dataset/..%2fmodel-promotion%2Fcurrent.json"],
  ["an encoded slash in the bucket", "/upload/dataset%2f..%2fx/a"],
  ["a backslash", "/upload/dataset/..\\a"],
  ["an encoded backslash", "/upload/dataset/..%5Ca"],
  ["a doubly encoded slash", "/upload/dataset/..%252Fa"],
  ["a zero byte", "/upload/dataset/a%00.csv"],
  ["a line feed", "/upload/dataset/a%0Ab"],
  ["a right-to-left override", "/upload/dataset/a%E2%80%AEvsc"],
  ["bytes that are not UTF-8", "/upload/dataset/%C3"],
  ["half an escape", "/upload/dataset/%4"],
  ["a name of 256 bytes", `/upload/dataset/${"a".repeat(256)}`],
  ["a path of more than 1024 bytes", `/upload/dataset/${"abcdefg/".repeat(130)}x`],
])("refuses %s", (_name, url) => {
  expect(() => parseObjectPath(url)).toThrow(HttpError);
});

it("never names anything outside the bucket that the URL shows", () => {
  const piece = fc.oneof(
    fc.constantFrom("..", ".", "%2e", "%2f", "/", "\\", "%5c", "%", "a", "%00"),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const key = keyOrRefusal(`/upload/dataset/${pieces.join("")}`);
      fc.pre(key !== null);
      const resolved = new URL(key.split("/").map(encodeURIComponent).join("/"), "file:///base/dataset/");
      expect(decodeURIComponent(resolved.pathname)).toBe(`/base/dataset/${key}`);
    }),
    { numRuns: 500 },
  );
});

/** The key, or null where the URL was refused; any other error is a fault of ours. */
function keyOrRefusal(url: string): string | null {
  try {
    return parseObjectPath(url).key;
  } catch (error) {
    if (error instanceof HttpError) return null;
    throw error;
  }
}
