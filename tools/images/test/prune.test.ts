import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fits, limits, prune } from "../prune.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flts-prune-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function lay(...paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), "12345");
  }
}

const onnx = "node_modules/.pnpm/onnxruntime-node@1/node_modules/onnxruntime-node";

test.each([
  ["linux/amd64", "x64"],
  ["linux/x64", "x64"],
  ["linux/arm64", "arm64"],
])("for %s the native library of %s stays, and no other", (platform, kept) => {
  const libraries = ["linux/x64", "linux/arm64", "darwin/arm64", "win32/x64"];
  lay(...libraries.map((one) => `${onnx}/bin/napi-v6/${one}/binding.node`), `${onnx}/dist/index.js`);
  expect(prune(folder, platform)).toEqual({ bytes: 10, onnxruntimeBytes: 10 });
  for (const library of libraries)
    expect(existsSync(join(folder, `${onnx}/bin/napi-v6/${library}`)), library).toBe(
      library === `linux/${kept}`,
    );
});

test("types, maps, documents, tests and our sources go; what runs stays", () => {
  const stays = [
    "dist/main.js",
    "package.json",
    "node_modules/.pnpm/a@1/node_modules/a/src/index.js",
    "node_modules/.pnpm/a@1/node_modules/a/data/test.json",
    "node_modules/@flts/common/dist/contracts/events.js",
  ];
  const goes = [
    "src/main.ts",
    "dist/main.d.ts",
    "dist/main.js.map",
    "node_modules/.pnpm/a@1/node_modules/a/README.md",
    "node_modules/.pnpm/a@1/node_modules/a/test/a.js",
    "node_modules/@flts/common/src/contracts/events.js",
    "node_modules/.pnpm/moment@2/node_modules/moment/min/moment.js",
  ];
  lay(...stays, ...goes);
  expect(prune(folder, "linux/amd64").bytes).toBe(5 * stays.length);
  expect(stays.filter((path) => !existsSync(join(folder, path)))).toEqual([]);
  expect(goes.filter((path) => existsSync(join(folder, path)))).toEqual([]);
});

test("what lies behind a link is neither counted nor touched", () => {
  const outside = mkdtempSync(join(tmpdir(), "flts-outside-"));
  writeFileSync(join(outside, "README.md"), "12345");
  symlinkSync(outside, join(folder, "link"));
  expect(prune(folder, "linux/amd64").bytes).toBe(0);
  expect(existsSync(join(outside, "README.md"))).toBe(true);
  rmSync(outside, { recursive: true });
});

test.each([
  [limits.withoutOnnxruntime, 0, true],
  [limits.withoutOnnxruntime + 1, 0, false],
  [limits.withOnnxruntime, 61 * 1024 ** 2, true],
  [limits.withOnnxruntime + 1, 61 * 1024 ** 2, false],
])("%i bytes, %i of them onnxruntime: fits is %s", (bytes, onnxruntimeBytes, expected) => {
  expect(fits({ bytes, onnxruntimeBytes })).toBe(expected);
});
